import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { startKeyVaultEmulator } from "../../../local/key-vault/emulator.ts";
import {
  collect,
  createClock,
  DAY,
  sendTo,
  startVault,
  TOKEN,
  vaultFile,
} from "./key-vault-emulator-fixture.ts";

const secretShape = z.object({ id: z.string(), value: z.string() });

test("a vault with a file is the same after a restart", async () => {
  const file = await vaultFile();
  const clock = createClock();
  const before = await startVault({ file, now: clock.now });
  const { client } = before;
  const first = await client.setSecret("orders-db", "one", { tags: { a: "1" } });
  await client.setSecret("orders-db", "two", {
    contentType: "text/plain",
    notBefore: clock.now(),
    expiresOn: new Date(clock.now().getTime() + 90 * DAY),
  });
  await client.updateSecretProperties("orders-db", first.properties.version ?? "", {
    tags: { b: "2" },
    enabled: false,
  });
  for (const name of ["deleted", "recovered", "purged"]) {
    await client.setSecret(name, name);
    await client.beginDeleteSecret(name);
  }
  await before.send("POST", "/deletedsecrets/recovered/recover");
  await client.purgeDeletedSecret("purged");
  const look = async (vault: typeof before) =>
    JSON.stringify([
      await collect(vault.client.listPropertiesOfSecrets()),
      await collect(vault.client.listPropertiesOfSecretVersions("orders-db")),
      await collect(vault.client.listDeletedSecrets()),
      await vault.client.getSecret("orders-db"),
      await vault.client.getSecret("recovered"),
    ]).replaceAll(vault.emulator.url, "");
  const seen = await look(before);
  await before.emulator.close();

  const after = await startVault({ file, now: clock.now });
  expect(await look(after)).toBe(seen);
  await after.client.setSecret("purged", "afresh");
});

test("only the owner can read the file, even one that was readable before", async () => {
  const file = await vaultFile();
  const vault = await startVault({ file });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await vault.emulator.close();
  const loose = `${file}.loose`;
  await writeFile(loose, "", { mode: 0o644 });
  await startVault({ file: loose });
  expect((await stat(loose)).mode & 0o777).toBe(0o600);
});

test("a last line that a crash cut short is dropped, wherever it was cut", async () => {
  const file = await vaultFile();
  const vault = await startVault({ file });
  await vault.client.setSecret("orders-db", "kept");
  await vault.emulator.close();
  const { size } = await stat(file);
  const line = Buffer.from(
    `[{"kind":"created","name":"orders-db","version":"${"a".repeat(32)}","value":"gr\u00fcn","created":1,"enabled":true}]\n`,
  );
  for (let length = 1; length < line.length; length += 7) {
    await truncate(file, size);
    await appendFile(file, line.subarray(0, length));
    const reopened = await startVault({ file });
    expect((await reopened.client.getSecret("orders-db")).value).toBe("kept");
    await reopened.emulator.close();
    expect((await stat(file)).size).toBe(size);
  }
  await appendFile(file, line);
  const whole = await startVault({ file });
  expect((await whole.client.getSecret("orders-db")).value).toBe("gr\u00fcn");
});

test("writes after a torn line start on a line of their own", async () => {
  const file = await vaultFile();
  await (await startVault({ file })).emulator.close();
  await appendFile(file, '[{"kind":"created","na');
  const torn = await startVault({ file });
  await torn.client.setSecret("orders-db", "value");
  await torn.emulator.close();
  const reopened = await startVault({ file });
  expect((await reopened.client.getSecret("orders-db")).value).toBe("value");
});

test("a file that is damaged in the middle is refused with the line number, without quoting the line", async () => {
  const file = await vaultFile();
  const vault = await startVault({ file });
  await vault.client.setSecret("orders-db", "Tr0ub4dor");
  await vault.emulator.close();
  const lines = (await readFile(file, "utf8")).split("\n");
  lines[0] = lines[0]?.slice(0, -2) ?? "";
  await writeFile(file, lines.join("\n"));
  const failed: unknown = await startKeyVaultEmulator({ acceptsToken: () => true, file }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(String(failed)).toMatch(/Line 1 of .* is damaged/);
  expect(String(failed)).not.toContain("Tr0ub4dor");
});

test("every answered write outlives SIGKILL", async () => {
  const file = await vaultFile();
  const answered = new Map<string, string>();
  let killed = 0;
  for (const afterReplies of [1, 7, 20, 45]) {
    const { url, kill } = await startProcess(file);
    await expectAll(url, answered);
    let replies = 0;
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let turn = 0; ; turn += 1) {
        const name = `secret-${String(writer)}-${String(turn % 3)}`;
        const value = `${String(afterReplies)}-${String(turn)}`;
        const body = JSON.stringify({ value });
        const response = await sendTo(url, "PUT", `/secrets/${name}`, { body });
        const { id } = secretShape.parse(await response.json());
        answered.set(new URL(id).pathname, value);
        replies += 1;
        if (replies === afterReplies) void kill();
      }
    });
    const endings = await Promise.allSettled(writers);
    expect(endings.every(({ status }) => status === "rejected")).toBe(true);
    await kill();
    killed += 1;
  }
  const { url, kill } = await startProcess(file);
  await expectAll(url, answered);
  await kill();
  expect(killed).toBe(4);
  expect(answered.size).toBeGreaterThanOrEqual(73);
});

async function startProcess(file: string) {
  const program = fileURLToPath(new URL("key-vault-emulator-process.ts", import.meta.url));
  const child = spawn(process.execPath, [program, file, TOKEN], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(child, "exit");
  onTestFinished(() => void child.kill("SIGKILL"));
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  for await (const url of createInterface({ input: child.stdout })) return { url, kill };
  throw new Error("The vault did not start");
}

async function expectAll(url: string, answered: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, value] of answered) {
    const response = await sendTo(url, "GET", path);
    expect(secretShape.parse(await response.json()).value).toBe(value);
  }
}
