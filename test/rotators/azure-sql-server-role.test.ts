import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { listActions } from "../../local/azure/arm/requests.ts";

const docs = join(import.meta.dirname, "../../docs");
const role = z.object({ Actions: z.array(z.string()) });

const matches = (pattern: string, action: string) =>
  new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`).test(action);

const demanded = listActions("sql-server");

test.each(["rotators/azure-sql-server.md", "how-to/migrate-from-azures-sample.md"])(
  "the role in %s has exactly the rights that Azure demands",
  async (page) => {
    const text = await readFile(join(docs, page), "utf8");
    const [, written = ""] = /--role-definition "(\{[^]*?\})"\n/.exec(text) ?? [];
    const { Actions: actions } = role.parse(JSON.parse(written.replaceAll('\\"', '"')));
    const lacking = demanded.filter((action) => !actions.some((one) => matches(one, action)));
    expect(lacking).toEqual([]);
    const needless = actions.filter((one) => !demanded.some((action) => matches(one, action)));
    expect(needless).toEqual([]);
  },
);
