export interface Config {
  nthlayer?: {
    /**
     * Base address at which this backend reaches the NthLayer daemon.
     */
    url: string;
  };
}
