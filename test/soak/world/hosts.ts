import { withClockAhead } from "../../e2e/world/clock.ts";
import { type HostProcess, startHostProcess } from "../../e2e/world/host-process.ts";

/** One instance of the Functions app in a process of its own, which can be killed and started again. */
export interface SoakHost {
  /** Undefined while it is down or suspended. */
  url(): string | undefined;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: its connections stay open and nothing in it runs. */
  suspend(): void;
  resume(): void;
  /** Its clock is so many milliseconds ahead of ours; behind, if negative. */
  start(clockAheadMs?: number): Promise<void>;
  close(): Promise<void>;
}

export interface HostsOf {
  readonly settings: Readonly<Record<string, string>>;
  readonly keysFile: string;
  readonly heard: (text: string) => void;
}

export function getHost({ settings, keysFile, heard }: HostsOf): SoakHost {
  let process: HostProcess | undefined;
  let isSuspended = false;
  const signal = (name: NodeJS.Signals) => {
    if (process !== undefined) globalThis.process.kill(process.pid, name);
  };
  const kill = async () => {
    const running = process;
    [process, isSuspended] = [undefined, false];
    await running?.kill();
  };
  return {
    url: () => (isSuspended ? undefined : process?.url),
    kill,
    suspend() {
      isSuspended = true;
      signal("SIGSTOP");
    },
    resume() {
      signal("SIGCONT");
      isSuspended = false;
    },
    async start(clockAheadMs = 0) {
      const clock = clockAheadMs === 0 ? undefined : withClockAhead(clockAheadMs);
      process = await startHostProcess({
        settings: { ...settings, ...clock?.settings },
        nodeArguments: clock?.nodeArguments ?? [],
        ...{ keysFile, heard },
      });
    },
    close: kill,
  };
}
