declare module 'node-red-node-test-helper' {
  const helper: {
    init(path: string): void;
    load(nodes: unknown, flow: unknown, credentials: unknown): Promise<void>;
    unload(): Promise<void>;
    getNode(id: string): { on(event: string, listener: (msg: unknown) => void): void } | null;
  };
  export default helper;
}
