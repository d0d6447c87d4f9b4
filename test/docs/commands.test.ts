import { existsSync, globSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type HttpFunctionOptions, type HttpRequest, InvocationContext } from "@azure/functions";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { readArguments as readStartArguments } from "../../local/start/console/start-arguments.ts";
import { checkConfig, planConfig } from "../../shared/app.ts";
import { parseArguments, parsePlan } from "../cli/parse.ts";
import {
  type Call,
  callsIn,
  commandPages,
  folderFor,
  formatPlace,
  guides,
  listBlocks,
  read,
  root,
  syntaxProblems,
} from "./blocks.ts";

const registered = vi.hoisted(() => ({
  routes: [] as (HttpFunctionOptions & { readonly method: string })[],
  names: [] as string[],
}));
vi.mock("@azure/functions", () => {
  const named = (name: string) => registered.names.push(name);
  const http = (name: string, options: HttpFunctionOptions) => {
    named(name);
    for (const method of options.methods ?? []) registered.routes.push({ ...options, method });
  };
  const hook = { appStart: () => undefined };
  const setup = () => undefined;
  const app = { http, hook, setup, timer: named, storageQueue: named, eventGrid: named };
  return { app, InvocationContext: Object };
});

// Requests are read and checked; nothing is asked of an app.
vi.mock("../../functions/invocation/invocation-operations.ts", () => {
  const list = () => Promise.resolve({ items: [], hasMore: false });
  const known = {
    ...{ targets: list, rotations: list, alarms: list },
    plan: () => Promise.resolve("a plan"),
    planEdit: () => Promise.resolve("a comparison"),
    isHealthy: () => Promise.resolve(true),
    ...{
      request: () => undefined,
      verify: () => undefined,
      rotation: () => undefined,
      expose: () => undefined,
      target: () => undefined,
      explanation: () => undefined,
      dryRun: () => undefined,
      recordUse: () => undefined,
      pause: () => undefined,
      resume: () => undefined,
      cancelRotation: () => undefined,
      endFreeze: () => undefined,
      requireJustification: () => undefined,
      admit: () => undefined,
    },
    ...{
      pauseAll: () => ({ written: [], notWritten: [] }),
      resumeAll: () => ({ written: [], notWritten: [] }),
      freeze: () => ({ state: "in force" }),
      freezes: () => [],
      previewBreach: () => ({ id: "01JQ0000000000000000000000" }),
      breach: () => undefined,
      breachTargets: () => undefined,
      confirmBreach: () => undefined,
      pauseBreach: () => undefined,
      resumeBreach: () => undefined,
      cancelBreach: () => undefined,
    },
  };
  return { openOperations: () => Promise.resolve(known) };
});

const scripts = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read("package.json"))).scripts;
const shell = commandPages.flatMap(listBlocks).filter(({ language }) => language === "sh");
const marked = shell.filter(({ needs }) => needs !== undefined);
const unmarked = shell.filter(({ needs }) => needs === undefined);

interface MadeCall {
  readonly at: string;
  readonly program: string;
  readonly args: Call;
  /** Where it is made. */
  readonly folder: string;
}
const made: MadeCall[] = [];
const folders: string[] = [];

function runGuide(page: string, folder: string): void {
  const blocks = unmarked.filter((block) => block.page === page);
  for (const [index, calls] of callsIn(blocks, folder).entries()) {
    const block = blocks[index];
    const at = block ? formatPlace(block) : page;
    for (const [program = "", ...args] of calls) made.push({ at, program, args, folder });
  }
}

const findCalls = (program: string): MadeCall[] => made.filter((call) => call.program === program);

beforeAll(async () => {
  for (const file of globSync("functions/*.ts", { cwd: root })) await import(join(root, file));
});

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

describe("The commands of the pages", () => {
  test("have valid syntax", () => {
    expect(syntaxProblems(shell)).toBe("");
  });

  test.each(commandPages)("run here, or are marked as needing Azure: %s", async (page) => {
    const folder = await folderFor(page);
    folders.push(folder);
    expect(() => {
      runGuide(page, folder);
    }).not.toThrow();
  });

  test("are marked only where they need what the mark names", () => {
    const programs: Record<string, RegExp> = {
      Azure: /\baz (?:group|functionapp|keyvault|resource|storage|role|eventgrid|sql|ad|rest)\b/,
      Vault: /\bvault (?:read|write|delete)\b/,
      AWS: /\baws secretsmanager\b/,
    };
    const wrong = marked.filter(({ needs = "", text }) => programs[needs]?.test(text) !== true);
    expect(wrong.map(formatPlace)).toEqual([]);
  });

  test("call npm scripts that exist, with options that they have", () => {
    const calls = findCalls("npm");
    expect(calls.length).toBeGreaterThan(2);
    expect(calls.filter(({ args }) => !isNpmCall(args))).toEqual([]);
  });

  test("start files of the repository that exist", () => {
    const files = findCalls("node").map(({ args }) => args.slice(0, 2));
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((paths) => !paths.every((path) => existsSync(join(root, path))))).toEqual(
      [],
    );
  });

  test("plan and check configurations without problems and warnings", async () => {
    const calls = findCalls("npx");
    expect(calls.length).toBeGreaterThan(5);
    for (const { at, args, folder } of calls) {
      const [name, ...rest] = args;
      expect([at, name, await findWarnings(rest, folder)]).toEqual([at, "keyturn", []]);
    }
  });

  test("send requests that the app takes", async () => {
    const calls = findCalls("curl");
    expect(calls.length).toBeGreaterThan(20);
    for (const { at, args, folder } of calls) {
      const answer = await answerTo(await askedBy(args, folder));
      expect([at, answer]).toEqual([at, expect.stringMatching(/^accepted/)]);
    }
  });
});

describe("The commands of the pages that need Azure", () => {
  const text = marked.map((block) => block.text).join("\n");
  const found = (pattern: RegExp) => Array.from(text.matchAll(pattern), ([, it = ""]) => it);

  test("set app settings that the app reads", () => {
    const settings = read("shared/config/settings.ts") + read("local.settings.sample.json");
    const names = found(/\b(KEYTURN_[A-Z_]+|AzureWebJobsStorage\w*)\b/g);
    expect(names).toContain("KEYTURN_SWEEP_SCHEDULE");
    expect(names.filter((name) => !settings.includes(name))).toEqual([]);
  });

  test("name functions and events that exist", () => {
    const functions = found(/\/functions\/([\w-]+)/g);
    expect(functions).toEqual(["near-expiry"]);
    expect(registered.names).toEqual(expect.arrayContaining(functions));
    const known = read("shared/core/vault-event.ts");
    const events = found(/\b(Microsoft\.KeyVault\.\w+)\b/g).filter((type) =>
      type.includes("Secret"),
    );
    expect(events.filter((type) => !known.includes(`"${type}"`))).toEqual([]);
  });

  test("assign roles that the documentation requires", () => {
    const pages = globSync("docs/**/*.md", { cwd: root }).filter((page) => !guides.includes(page));
    const known = pages.map(read).join("\n") + text.replaceAll('\\"Name\\"', "");
    const roles = [
      ...found(/--role "([^"$]+)"/g),
      ...found(/ROLE in (.+); do/g).flatMap((it) => it.split(/" "|"/)),
    ];
    expect(roles).toContain("Storage Table Data Contributor");
    expect(roles.filter((role) => !known.includes(role))).toEqual([]);
  });
});

function isNpmCall([verb = "", ...rest]: Call): boolean {
  const isRun = verb === "run";
  const [name = "", separator, ...options] = isRun ? rest : [verb, ...rest];
  const command = scripts[name];
  if (command === undefined || (separator !== undefined && separator !== "--")) return false;
  if (name === "start") return !readStartArguments(options).help;
  const [, file = ""] = /run\.mjs (\S+\.ts)/.exec(command) ?? [];
  return options.filter((it) => it.startsWith("--")).every((it) => read(file).includes(it));
}

async function findWarnings(args: Call, folder: string): Promise<readonly string[]> {
  const { command, options } = await parseArguments(args);
  if (command === "check") return (await checkConfig(String(options["config"]), folder)).warnings;
  // Another command contacts an app; that it can be parsed is enough here.
  if (command !== "plan") return [];
  const { config, ...local } = await parsePlan(args.slice(1));
  return config === undefined ? [] : (await planConfig({ ...local, config }, folder)).warnings;
}

/** What a call of curl requests. */
interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string | undefined;
}

async function askedBy(args: Call, folder: string): Promise<Asked> {
  const headers = new Headers();
  let [method, address, body]: [string?, string?, string?] = [];
  const left = [...args];
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (arg === "-X") method = left.shift();
    else if (arg === "-H") headers.append(...parseHeader(left.shift()));
    else if (arg === "-d" || arg === "--data-binary") body = left.shift();
    else if (!/^-[is]+$/.test(arg)) address = arg;
  }
  const usual = body === undefined ? "GET" : "POST";
  const content = body === undefined ? undefined : await readContent(body, folder);
  return { method: method ?? usual, url: new URL(address ?? ""), headers, body: content };
}

async function readContent(body: string, folder: string): Promise<string> {
  return body.startsWith("@") ? readFile(join(folder, body.slice(1)), "utf8") : body;
}

function parseHeader(written = ""): [string, string] {
  const [name = "", value = ""] = written.split(/: */, 2);
  return [name, value];
}

/** `accepted` with the status, or what is wrong with the request. A target that the app does not have is no mistake. */
async function answerTo({ method, url, headers, body }: Asked): Promise<string> {
  for (const route of registered.routes.filter((it) => it.method === method)) {
    const params = matchParams(`/api/${route.route ?? ""}`, url.pathname);
    if (!params) continue;
    if (route.authLevel === "function" && headers.get("x-functions-key") !== "a-key") {
      return "no function key";
    }
    const bytes = [Buffer.from(body ?? "")];
    const request = { url: url.href, query: url.searchParams, params, headers, body: bytes };
    const answer: unknown = await route.handler(
      request as unknown as HttpRequest,
      new InvocationContext(),
    );
    const status = Number(Reflect.get(Object(answer), "status"));
    const isUnderstood = status < 300 || status === 404;
    return `${isUnderstood ? "accepted" : "refused"} ${status} ${String(Reflect.get(Object(answer), "body"))}`;
  }
  return `no route ${method} ${url.pathname}`;
}

function matchParams(route: string, path: string): Record<string, string> | undefined {
  const [expected, given] = [route.split("/"), path.split("/")];
  if (expected.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of expected.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith("{")) params[part.slice(1, -1)] = value;
    else if (part !== value) return undefined;
  }
  return params;
}
