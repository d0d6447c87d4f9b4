import { z } from "zod";

/** The limit bounds the time of a start. */
const maxModules = 50;

/** A path that stays in the folder of the configuration, and that has one way to be written. No segment begins with a dot. */
export const modulePath = z
  .string()
  .regex(/^\.\/(?:[\w@-][\w.@-]*\/)*[\w@-][\w.@-]*\.m?[jt]s$/, {
    error:
      "must be a path such as ./rotators/oracle.ts: it begins with ./, has no .. and no spaces, and ends in .ts, .mts, .js or .mjs",
    abort: true,
  })
  .refine((path) => !path.includes("/node_modules/"), {
    error:
      "must not be in node_modules. Write a file of your own that exports what the package has",
  });

export const modulesSchema = z
  .array(modulePath)
  .max(maxModules, `must have at most ${maxModules} entries`)
  .superRefine((paths, context) => {
    for (const [index, path] of paths.entries()) {
      if (paths.indexOf(path) === index) continue;
      context.addIssue({ code: "custom", path: [index], message: "is named twice; remove one" });
    }
  })
  .default([])
  .describe(
    "Modules with rotators of your own: files below the folder of this configuration. docs/adding-a-rotator.md explains them. In a folder, each file names the modules of its targets.",
  );
