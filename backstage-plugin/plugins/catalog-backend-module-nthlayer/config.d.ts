import { HumanDuration } from '@backstage/types';

export interface Config {
  nthlayer?: {
    /**
     * Base address at which this backend reaches the NthLayer daemon.
     */
    url: string;
    /**
     * Static token of the daemon, made with `nthlayer-sync token`. Without it Backstage's own plugin tokens are used.
     * @visibility secret
     */
    token?: string;
    webhook?: {
      /**
       * Secret that both sides sign with: `whsec_` and 32 bytes in base64. Several, with blanks between them, while
       * one is replaced by another: the first one signs. Without it, both sides find out later, by polling.
       * @visibility secret
       */
      secret: string;
    };
    annotations?: {
      /**
       * How often the daemon is asked what is to stand on the entities; 30 seconds when left out.
       */
      every?: HumanDuration | string;
    };
    changes?: {
      /**
       * How often the whole catalog is compared with what the daemon was told; 30 seconds when left out.
       */
      every?: HumanDuration | string;
    };
  };
}
