/** A gate between the engine and everything outside. Decides whether, when and how a call ends. */
export type Gate = <Result>(effect: string, call: () => Promise<Result>) => Promise<Result>;
