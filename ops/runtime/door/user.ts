/** Who came in, as Node-RED takes it from `adminAuth.tokens`. */
export interface User {
  username: string;
  /** As Node-RED names them, e.g. `flows.write`; `*` for all. */
  permissions: string[];
}
