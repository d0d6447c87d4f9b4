import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../../shared/config/load.ts";
import { fakeRotators } from "../fake-rotators.ts";
import { certificate, makeFolder, problemLines, withTarget } from "../written.ts";

const rotators = { rotators: fakeRotators };
const trusting = (caFile: string, more = {}) =>
  withTarget({ options: { host: "db.example", tls: { caFile }, ...more } });
const gone = "does not exist; relative paths start at the folder of the configuration";

test("a relative path of a CA file begins at the folder of the configuration file", async () => {
  const folder = await makeFolder({
    "keyturn.yaml": trusting("certificates/ca.pem"),
    "certificates/ca.pem": certificate,
  });
  const options = { tls: { caFile: join(folder, "certificates/ca.pem"), mode: "verify-full" } };
  for (const path of [join(folder, "keyturn.yaml"), folder]) {
    expect((await loadConfig(path, rotators)).targets).toMatchObject([{ options }]);
  }
});

test("an absolute path of a CA file stays unchanged", async () => {
  const elsewhere = join(await makeFolder({ "ca.pem": certificate }), "ca.pem");
  const folder = await makeFolder({ "keyturn.yaml": trusting(elsewhere) });
  expect((await loadConfig(folder, rotators)).targets).toMatchObject([
    { options: { tls: { caFile: elsewhere } } },
  ]);
});

test("missing CA files are listed together with all other problems", async () => {
  const text = trusting("ca.pem", { prot: 1 }).replace("90d", "90 days");
  const folder = await makeFolder({ "keyturn.yaml": text, "certificates/ca.pem": certificate });
  expect(await problemLines(loadConfig(join(folder, "keyturn.yaml"), rotators))).toEqual([
    expect.stringContaining("policies.default.every: must be a duration"),
    `keyturn.yaml:7:51  targets.orders.options.tls.caFile: ${gone}`,
    'keyturn.yaml:7:61  targets.orders.options.prot: is not a known key (did you mean "port"?)',
  ]);
});

test.each([
  ["of another file", "keyturn.yaml", "contains no PEM certificate"],
  ["a folder", "certificates", "is not a file"],
  ["below a file", "ca.pem/ca.pem", "cannot be read (ENOTDIR)"],
  ["not a path", "a\0b", "cannot be read (ERR_INVALID_ARG_VALUE)"],
])("a path of a CA file that is %s is rejected", async (_what, caFile, message) => {
  const folder = await makeFolder({
    "keyturn.yaml": trusting(caFile),
    "ca.pem": certificate,
    "certificates/ca.pem": certificate,
  });
  expect(await problemLines(loadConfig(join(folder, "keyturn.yaml"), rotators))).toEqual([
    `keyturn.yaml:7:51  targets.orders.options.tls.caFile: ${message}`,
  ]);
});
