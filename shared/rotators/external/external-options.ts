import { z } from "zod";
import { host } from "../common/connection/host.ts";
import { publishedKeys } from "../common/connection/published-keys.ts";
import { caFile } from "../common/connection/tls.ts";

const urlMessage =
  "must begin with https://, and must have no user name and no part after #, such as https://api.example.com/me";

function isPlainHttps(text: string): boolean {
  const url = URL.parse(text);
  return (
    url?.protocol === "https:" && url.username === "" && url.password === "" && !text.includes("#")
  );
}

const statuses = z.array(z.int().min(100).max(599)).min(1).max(20);

const usuallyRefused = [401, 403];

/** Headers that belong to the request itself. */
const taken =
  /^(host|connection|content-length|transfer-encoding|accept-encoding|upgrade|te|trailer)$/i;

/** An HTTP request that shows whether a value is valid. */
const probe = z
  .strictObject({
    /** The address that receives the request. It must not contain a secret, because messages show it. */
    url: z
      .string()
      .regex(/^https:\/\//, { error: urlMessage, abort: true })
      .refine(isPlainHttps, urlMessage),
    method: z.enum(["GET", "HEAD"]).default("GET"),
    /** The header with the value. */
    header: z
      .string()
      .regex(
        /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/,
        "must be the name of a header, such as x-api-key",
      )
      .refine((name) => !taken.test(name), "belongs to the request itself")
      .default("authorization"),
    /** What comes before the value, such as "Bearer ". */
    prefix: z
      .string()
      .regex(/^[\x20-\x7E]{0,100}$/, "must be printable ASCII")
      .default(""),
    /** The statuses of a valid value. */
    accepted: statuses.default([200]),
    /** The statuses of an invalid one. Any other status says nothing about the value. */
    refused: statuses.default(usuallyRefused),
    tls: z.strictObject({ caFile }).prefault({}),
  })
  .superRefine(({ accepted, refused }, context) => {
    const both = accepted.filter((status) => refused.includes(status));
    if (both.length === 0) return;
    if (String(refused) !== String(usuallyRefused)) {
      const message = "must not list a status that accepted lists";
      context.addIssue({ code: "custom", path: ["refused"], message });
      return;
    }
    const others = refused.filter((status) => !both.includes(status));
    const instead = others.length > 0 ? `[${others.join(", ")}]` : "with other statuses";
    const message = `lists ${both.join(" and ")}, which a refused value has by default; also write refused: ${instead}`;
    context.addIssue({ code: "custom", path: ["accepted"], message });
  });

export const externalOptions = z.strictObject({
  /** The system, for people and consumers. */
  host,
  port: z.int().min(1).max(65535).default(443),
  /** What consumers need besides, by the keys of the published JSON. */
  connection: publishedKeys,
  probe: probe.exactOptional(),
});

export type ExternalOptions = z.output<typeof externalOptions>;
export type Probe = z.output<typeof probe>;
