import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { toFormPath } from "../../../shared/config/form/checked-form.ts";
import { loadConfig } from "../../../shared/config/load.ts";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import { fakeRotators } from "../fake-rotators.ts";
import { certificate, makeFolder, withTarget } from "../written.ts";
import { addForm, load, open } from "./both-ways.ts";

const now = "2026-06-01T00:00:00.000Z";
const given = { rotators: fakeRotators, now };
const real = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });

const root = resolve(import.meta.dirname, "../../..");
const examples = (await readdir(join(root, "examples"))).filter((file) => file.endsWith(".yaml"));

/** Makes a folder with one file that has a checked form. */
async function packed(text: string): Promise<string> {
  const file = join(await makeFolder({ "keyturn.yaml": text }), "keyturn.yaml");
  await addForm(file, given);
  return file;
}

describe("A checked form gives the same configuration as its sources:", () => {
  test.each(examples)("the example %s", async (name) => {
    const text = await readFile(join(root, "examples", name), "utf8");
    const file = join(await makeFolder({ "keyturn.yaml": text }), "keyturn.yaml");
    await addForm(file, { rotators: real, now });
    for (const later of [now, "2026-12-25T12:00:00.000Z", "2031-03-01T00:00:00.000Z"]) {
      const at = { rotators: real, now: later };
      expect(await open(file, at)).toStrictEqual({ outcome: await load(file, at), from: "form" });
    }
  });

  test("a folder", async () => {
    const [head = "", targets = ""] = withTarget({}).split(/(?=^targets:)/m);
    const folder = await makeFolder({ "a.yaml": head, "b.yml": `version: 1\n${targets}` });
    await addForm(folder, given);
    const outcome = await load(folder, given);
    expect(await open(folder, given)).toStrictEqual({ outcome, from: "form" });
  });
});

describe("A checked form is not used", () => {
  test("when a byte of its source has changed", async () => {
    const file = await packed(withTarget({}));
    await writeFile(file, withTarget({}).replace("every: 90d", "every: 91d"));
    const { outcome, from } = await open(file, given);
    expect(from).toBe("sources");
    expect(outcome).toMatchObject({
      targets: [{ policy: { every: 91 * 86_400_000 } }],
      warnings: [],
    });
  });

  test("when its source has a new problem", async () => {
    const file = await packed(withTarget({}));
    await writeFile(file, `${withTarget({})}more: 1\n`);
    expect(await open(file, given)).toEqual({
      outcome: [expect.stringContaining("more: is not a known key")],
      from: "sources",
    });
  });

  test("when its source is missing", async () => {
    const file = await packed(withTarget({}));
    await rm(file);
    const outcome = ["keyturn.yaml  does not exist"];
    expect(await open(file, given)).toEqual({ outcome, from: "sources" });
  });

  test("when its source has another name", async () => {
    const file = await packed(withTarget({}));
    const other = join(file, "../other.yaml");
    await rename(file, other);
    await rename(toFormPath(file), toFormPath(other));
    expect(await open(other, given)).toMatchObject({ from: "sources" });
  });

  test("when a file of its folder was changed, added or removed", async () => {
    const [head = "", targets = ""] = withTarget({}).split(/(?=^targets:)/m);
    const folder = await makeFolder({ "a.yaml": head, "b.yaml": `version: 1\n${targets}` });
    await addForm(folder, given);
    const more = join(folder, "c.yaml");
    await writeFile(more, "version: 1\n");
    expect(await open(folder, given)).toMatchObject({ from: "sources", outcome: { warnings: [] } });
    await rm(more);
    expect(await open(folder, given)).toMatchObject({ from: "form" });
    await rm(join(folder, "b.yaml"));
    expect(await open(folder, given)).toMatchObject({ from: "sources", outcome: { targets: [] } });
    await writeFile(join(folder, "b.yaml"), `version: 1\n#\n${targets}`);
    expect(await open(folder, given)).toMatchObject({ from: "sources", outcome: { warnings: [] } });
  });

  test("when another build has written it", async () => {
    const file = await packed(withTarget({}));
    const { outcome, from } = await open(file, given, "a later build");
    expect(from).toBe("sources");
    expect(outcome).toEqual(await load(file, given));
  });

  test("when it belongs to another configuration", async () => {
    const file = await packed(withTarget({}));
    const other = await packed(withTarget({ publish: "another" }));
    await writeFile(toFormPath(file), await readFile(toFormPath(other)));
    const { outcome, from } = await open(file, given);
    expect(from).toBe("sources");
    expect(outcome).toEqual(await load(file, given));
  });

  test("when any byte of it is damaged, and a warning reports it", async () => {
    const file = await packed(withTarget({}));
    const form = await readFile(toFormPath(file));
    const head = form.indexOf("\n");
    const warning = {
      file: "keyturn.yaml.checked",
      path: "",
      message: expect.stringMatching(/^is damaged, so .* build the package again$/) as string,
    };
    const { targets } = await loadConfig(file, given);
    for (let index = 0; index < form.length; index += index < head + 70 ? 1 : 13) {
      const damaged = Buffer.from(form);
      damaged.writeUInt8(form.readUInt8(index) ^ 1, index);
      await writeFile(toFormPath(file), damaged);
      const { outcome, from } = await open(file, given);
      expect(from).toBe("sources");
      expect(outcome).toMatchObject({ targets, ...(index > head && { warnings: [warning] }) });
    }
  });

  test.each([
    ["empty", () => ""],
    ["cut off", (form: string) => form.slice(0, -1)],
    ["cut off after its first line", (form: string) => form.slice(0, form.indexOf("\n"))],
    ["longer", (form: string) => `${form}\n`],
  ])("when it is %s, and a warning reports it", async (_what, damage) => {
    const file = await packed(withTarget({}));
    const form = await readFile(toFormPath(file), "utf8");
    await writeFile(toFormPath(file), damage(form));
    expect(await open(file, given)).toMatchObject({
      outcome: { targets: [{ id: "orders" }], warnings: [{ file: "keyturn.yaml.checked" }] },
      from: "sources",
    });
  });

  test("when it cannot be read, and a warning reports it", async () => {
    const file = await packed(withTarget({}));
    await rm(toFormPath(file));
    await mkdir(toFormPath(file));
    const { outcome, from } = await open(file, given);
    expect(from).toBe("sources");
    expect(outcome).toMatchObject({ warnings: [{ message: /^cannot be read \(EISDIR\), so / }] });
  });

  test("when a CA file is missing, which is rejected with its line", async () => {
    const options = { host: "db.example", tls: { caFile: "ca.pem" } };
    const file = await packed(withTarget({ options }));
    expect(await open(file, given)).toEqual({
      outcome: [expect.stringMatching(/^keyturn\.yaml:7:\d+ .*caFile: does not exist/)],
      from: "sources",
    });
  });
});

test("a policy that became invalid after the check causes a warning, not an error", async () => {
  const freeze = [{ from: "2026-06-01", to: "2036-12-31", reason: "x" }];
  const text = withTarget({ overrides: { days: ["sat"], freeze, reason: "x" } });
  const file = join(await makeFolder({ "keyturn.yaml": text }), "keyturn.yaml");
  await addForm(file, { ...given, now: "2036-12-30T00:00:00.000Z" });
  const { outcome } = await open(file, given);
  expect(outcome).toMatchObject({
    targets: [{ id: "orders" }],
    warnings: [{ line: 11, message: /^blocks every change in the next ten years/ }],
  });
  expect(await load(file, given)).toEqual([
    expect.stringMatching(/^keyturn\.yaml:11:\d+ .*blocks every change/),
  ]);
});

test("paths of CA files are relative to the folder from which the configuration is opened", async () => {
  const options = { host: "db.example", tls: { caFile: "ca.pem" } };
  const file = await packed(withTarget({ options }));
  const elsewhere = await makeFolder({ "ca.pem": certificate });
  const moved = join(elsewhere, "keyturn.yaml");
  await rename(file, moved);
  await rename(toFormPath(file), toFormPath(moved));
  expect(await open(moved, given)).toMatchObject({
    from: "form",
    outcome: { targets: [{ options: { tls: { caFile: join(elsewhere, "ca.pem") } } }] },
  });
});

test("policies are simulated from the moment of opening, not from the moment of the check", async () => {
  const freeze = [{ from: "2026-12-01", to: "2027-01-20", reason: "year end" }];
  const policies = { default: { every: "30d", headStart: "7d", afterExposure: "4h", freeze } };
  const text = withTarget({}).replace(/^policies: .*$/m, `policies: ${JSON.stringify(policies)}`);
  const file = await packed(text);
  const warningsOn = async (day: string) => {
    const { outcome, from } = await open(file, { ...given, now: `${day}T00:00:00.000Z` });
    expect(from).toBe("form");
    return "warnings" in outcome ? outcome.warnings.map(({ path }) => path) : outcome;
  };
  expect(await warningsOn("2026-06-01")).toContain("policies.default.freeze[0]");
  expect(await warningsOn("2027-02-01")).not.toContain("policies.default.freeze[0]");
});
