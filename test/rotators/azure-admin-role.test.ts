import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listActions } from "../../local/azure/arm/requests.ts";
import {
  type AdminServiceName,
  adminServices,
} from "../../shared/rotators/azure-admin/azure-admin-services.ts";

const page = join(import.meta.dirname, "../../docs/rotators/azure-admin.md");

const matches = (pattern: string, action: string) =>
  new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`).test(action);

test.each(Object.keys(adminServices) as AdminServiceName[])(
  "the role for %s on its page has exactly the rights that Azure demands",
  async (service) => {
    const text = await readFile(page, "utf8");
    const block = new RegExp(`^# ${service}\nTYPE=(.*)\nACTIONS='([^']*)'$`, "m");
    const [, type, written = ""] = block.exec(text) ?? [];
    expect(type).toBe(adminServices[service].type);
    const actions = [...written.matchAll(/"([^"]+)"/g)].map(([, action = ""]) => action);
    const demanded = listActions(service);
    const isGranted = (action: string) => actions.some((one) => matches(one, action));
    expect(demanded.filter((action) => !isGranted(action))).toEqual([]);
    const isNeeded = (pattern: string) => demanded.some((action) => matches(pattern, action));
    expect(actions.filter((one) => !isNeeded(one))).toEqual([]);
  },
);
