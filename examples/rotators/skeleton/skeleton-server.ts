/** A system in memory that speaks what the rotator expects. Replace it with the start of a real server. */
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

type Line = Readonly<Partial<Record<"as" | "with" | "set" | "secret" | "clear", string>>>;

export async function startSkeletonServer() {
  const secrets = new Map<string, string>();
  const admins = new Set<string>();
  const open = new Set<Socket>();
  let logIns = 0;

  function logsIn(account: string, secret: string): boolean {
    const known = secrets.get(account);
    return known !== undefined && known !== "" && known === secret;
  }

  function change(by: string, { set, clear, secret = "" }: Line): string {
    const account = set ?? clear ?? "";
    const mayChange = admins.has(by) || (by === account && set !== undefined);
    if (!mayChange || !secrets.has(account) || secret === "forbidden") return "refused";
    secrets.set(account, secret);
    return "ok";
  }

  function serve(socket: Socket): void {
    let account: string | undefined;
    createInterface(socket).on("line", (text) => {
      const line = JSON.parse(text) as Line;
      if (account !== undefined) socket.write(`${change(account, line)}\n`);
      else {
        logIns += 1;
        const isRight = logsIn(line.as ?? "", line.with ?? "");
        if (isRight) account = line.as;
        socket.write(isRight ? "ok\n" : "wrong-secret\n");
      }
    });
  }

  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on TCP");
  return {
    port: address.port,
    secrets,
    admins,
    logsIn,
    logIns: () => logIns,
    openConnections: () => open.size,
    stop: () =>
      new Promise<void>((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}
