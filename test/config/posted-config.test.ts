import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig, parseConfig } from "../../shared/config/load.ts";
import { fakeRotators } from "./fake-rotators.ts";
import { makeFolder, problemLines, withTarget } from "./written.ts";

const options = { rotators: fakeRotators, now: "2026-06-01T00:00:00.000Z" };

test("a text gives the same configuration as a file with this text", async () => {
  const text = withTarget({ tags: { env: "prod" } });
  const folder = await makeFolder({ "keyturn.yaml": text });
  expect(await parseConfig(text, options)).toEqual(
    await loadConfig(join(folder, "keyturn.yaml"), options),
  );
});

test("a text with mistakes is rejected with the same problems as a file", async () => {
  const text = `${withTarget({ admin: null, publish: 7 })}more: 1\n`;
  const folder = await makeFolder({ "keyturn.yaml": text });
  const lines = await problemLines(parseConfig(text, options));
  expect(lines).toHaveLength(3);
  expect(lines).toEqual(await problemLines(loadConfig(join(folder, "keyturn.yaml"), options)));
});

test("a text that is not YAML is rejected with line and column", async () => {
  const lines = await problemLines(parseConfig("version: 1\n\tx: [", options));
  expect(lines[0]).toMatch(/^keyturn\.yaml:2:\d+ /);
});

test.each(["/etc/passwd", "/no/such/file.pem", "certificates/ca.pem"])(
  "a text cannot be used to learn about files of this machine, such as %s",
  async (caFile) => {
    const text = withTarget({ options: { host: "db.example", tls: { caFile } } });
    const { targets } = await parseConfig(text, options);
    expect(targets[0]?.options).toMatchObject({ tls: { caFile } });
  },
);
