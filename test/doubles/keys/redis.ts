import { createServer } from "node:tls";
import { listen, type Listening } from "../../../conformance/faults/listening.ts";
import { localCertificate } from "../certificate.ts";

/** A Redis service of Azure as far as a log-in needs it: the greeting with a password, in RESP3. `accepts`: whether the password is valid now. */
export async function startRedisDouble(accepts: (password: string) => boolean): Promise<Listening> {
  const { key, cert } = await localCertificate();
  return listen(
    createServer({ key, cert }, (socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (data: Buffer) => {
        for (const words of readCommands(data.toString())) socket.write(answer(words, accepts));
      });
    }),
  );
}

const greeting = "%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n";
const refusal = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

function answer(words: readonly string[], accepts: (password: string) => boolean): string {
  const [command = ""] = words;
  if (command.toUpperCase() !== "HELLO") return "+OK\r\n";
  const at = words.findIndex((word) => word.toUpperCase() === "AUTH");
  if (at < 0) return greeting;
  return words[at + 1] === "default" && accepts(words[at + 2] ?? "") ? greeting : refusal;
}

/** The clients send each command in one piece. */
function readCommands(text: string): string[][] {
  const commands: string[][] = [];
  for (const command of text.split(/(?=\*\d+\r\n)/)) {
    const lines = command.split("\r\n");
    const words = lines.filter((_, index) => index > 0 && index % 2 === 0 && index < lines.length);
    commands.push(words.slice(0, Number(lines[0]?.slice(1) ?? "0")));
  }
  return commands;
}
