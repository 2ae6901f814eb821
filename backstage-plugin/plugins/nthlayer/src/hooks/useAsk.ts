import { useCallback, useEffect, useRef, useState } from 'react';
import { useApi } from '@backstage/frontend-plugin-api';
import { NthlayerError, type AskPath, type Sent } from '@nthlayer/backstage-plugin-nthlayer-common';
import { nthlayerApiRef } from '../api';

/** Milliseconds after which it is looked whether what was asked for has happened: a replica does it when it comes to it. */
const LOOKS = [0, 1000, 3000, 8000];

/** Something that can be asked of NthLayer. */
export type Ask<P extends AskPath> = {
  ask: (body: Sent<P>) => Promise<boolean>;
  pending: boolean;
  error: NthlayerError | undefined;
};

/** Have something done; `after` is called then, and a few times more while it takes effect. */
export function useAsk<P extends AskPath>(path: P, after: () => void): Ask<P> {
  const api = useApi(nthlayerApiRef);
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<NthlayerError>();
  const timers = useRef<ReturnType<typeof setTimeout>[]>([]);
  useEffect(() => () => timers.current.forEach(clearTimeout), []);

  const ask = useCallback(
    async (body: Sent<P>) => {
      setPending(true);
      setError(undefined);
      try {
        await api.ask(path, body, crypto.randomUUID?.());
        timers.current = LOOKS.map(wait => setTimeout(after, wait));
        return true;
      } catch (thrown) {
        setError(NthlayerError.fromThrown(thrown));
        return false;
      } finally {
        setPending(false);
      }
    },
    [api, path, after],
  );
  return { ask, pending, error };
}
