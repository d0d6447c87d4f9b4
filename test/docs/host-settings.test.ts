import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";

const root = resolve(import.meta.dirname, "../..");
const settings: unknown = JSON.parse(await readFile(join(root, "host.json"), "utf8"));

const timeSpan = z.string().regex(/^\d\d:\d\d:\d\d$/);
const level = z.enum(["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"]);

/** The part of the published schema (https://json.schemastore.org/host.json, version 2.0) that Keyturn uses. It is closed. */
const published = z.strictObject({
  version: z.literal("2.0"),
  functionTimeout: timeSpan,
  extensionBundle: z.strictObject({ id: z.string(), version: z.string() }),
  extensions: z.strictObject({
    http: z.strictObject({
      routePrefix: z.string(),
      maxOutstandingRequests: z.int(),
      maxConcurrentRequests: z.int(),
      dynamicThrottlesEnabled: z.boolean(),
    }),
    queues: z.strictObject({
      batchSize: z.int().min(1).max(32),
      newBatchThreshold: z.int(),
      maxDequeueCount: z.int(),
      visibilityTimeout: timeSpan,
      maxPollingInterval: timeSpan,
      messageEncoding: z.enum(["base64", "none"]),
    }),
  }),
  logging: z.strictObject({
    logLevel: z.record(z.string(), level),
    applicationInsights: z.strictObject({
      samplingSettings: z.strictObject({ isEnabled: z.boolean(), excludedTypes: z.string() }),
    }),
  }),
});

test("host.json has only settings that the published schema has", () => {
  expect(published.safeParse(settings).error?.issues ?? []).toEqual([]);
});

test("docs/reference/host-settings.md gives a reason for every setting of the extensions", async () => {
  const page = await readFile(join(root, "docs", "reference", "host-settings.md"), "utf8");
  const { http, queues } = published.parse(settings).extensions;
  const names = [...Object.keys(http), ...Object.keys(queues)];
  expect(names.filter((name) => !page.includes(name))).toEqual([]);
});
