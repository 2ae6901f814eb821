import { useCallback, useEffect, useRef, useState } from 'react';
import { useApi } from '@backstage/frontend-plugin-api';
import { NthlayerError, type Found, type LookPath, type Looked } from '@nthlayer/backstage-plugin-nthlayer-common';
import { nthlayerApiRef } from '../api';

/** What was looked up so far. What was found stays while it is looked up again. */
export type Look<T> = {
  found: T | undefined;
  error: NthlayerError | undefined;
  loading: boolean;
  again: () => void;
};

/** Milliseconds after which an open page looks again. */
const EVERY = 15_000;

/** Look something up now, and again from time to time while the page is seen. Nothing is looked up where `path` is null. */
export function useLook<P extends LookPath>(path: P | null, what?: Looked<P>): Look<Found<P>> {
  const api = useApi(nthlayerApiRef);
  const asked = JSON.stringify([path, what]);
  const [state, setState] = useState<{ of: string; found?: Found<P>; error?: NthlayerError }>({ of: '' });
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn(before => before + 1), []);
  const latest = useRef(what);
  latest.current = what;

  useEffect(() => {
    if (path === null) return undefined;
    const gone = new AbortController();
    api.look(path, latest.current, gone.signal).then(
      found => !gone.signal.aborted && setState({ of: asked, found }),
      thrown => {
        if (gone.signal.aborted) return;
        const error = NthlayerError.fromThrown(thrown);
        setState(before => (before.of === asked ? { ...before, error } : { of: asked, error }));
      },
    );
    return () => gone.abort();
  }, [api, path, asked, turn]);

  useEffect(() => {
    if (path === null) return undefined;
    const timer = setInterval(() => document.visibilityState === 'visible' && again(), EVERY);
    return () => clearInterval(timer);
  }, [path, again]);

  const current = state.of === asked ? state : undefined;
  return {
    found: current?.found,
    error: current?.error,
    loading: path !== null && !current,
    again,
  };
}
