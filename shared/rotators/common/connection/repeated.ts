import type { z } from "zod";

/** Where options name one server. */
interface Named {
  /** From the options on. */
  readonly path: readonly (string | number)[];
  /** `host:port`. Its case has no meaning. */
  readonly address: string;
}

/** A check of options: reports every place that names the server of an earlier one. */
export const withoutRepeatedServers =
  <Options>(listPlaces: (options: Options) => readonly Named[]) =>
  (options: Options, context: z.core.$RefinementCtx<Options>): void => {
    const first = new Map<string, string>();
    for (const { path, address } of listPlaces(options)) {
      const key = address.toLowerCase();
      const earlier = first.get(key);
      if (earlier === undefined) first.set(key, describe(path));
      else {
        const message = `is the same server as options.${earlier}; remove it`;
        context.addIssue({ code: "custom", path: [...path], message });
      }
    }
  };

const describe = (path: Named["path"]): string =>
  path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index ? "." : ""}${step}`))
    .join("");
