import { withClockAhead } from "../../e2e/world/clock.ts";
import { type HostProcess, startHostProcess } from "../../e2e/world/host-process.ts";

/** One instance of the Functions app in its own process, which can be killed and restarted. */
export interface SoakHost {
  /** Undefined while it is down or suspended. */
  url(): string | undefined;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Sends SIGSTOP: its connections stay open, and the process does not run. */
  suspend(): void;
  resume(): void;
  /** Milliseconds that its clock is ahead; negative when it is behind. */
  start(clockAheadMs?: number): Promise<void>;
  close(): Promise<void>;
}

export interface HostsDeps {
  readonly settings: Readonly<Record<string, string>>;
  readonly keysFile: string;
  readonly heard: (text: string) => void;
}

export function getHost({ settings, keysFile, heard }: HostsDeps): SoakHost {
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
