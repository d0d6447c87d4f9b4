import { keyOf, withExamples } from "../command.ts";
import { connect } from "../session.ts";
import { finishRequest, requesting, requireFollow } from "./requesting.ts";

export const makeImport = () =>
  withExamples(
    requesting("import", "put a password in force that somebody else issued")
      .argument("<target>", "id of the target")
      .option(
        "--account <name>",
        "account of the password (default: the one that a rotation changes)",
      )
      .option("--never-apply", "only if the target accepts the password already")
      .option("--file <file>", "file with the password (default: a prompt, or standard input)")
      .action(async (target, options) => {
        requireFollow(options);
        const { reason, ticket, account, neverApply, liftFreeze, force, file } = options;
        const client = connect(options);
        const { readSecret } = await import("../input/secret.ts");
        const value = await readSecret(`Password for ${target}: `, file);
        const requested = await client.call("api-import", {
          params: { target },
          body: {
            ...{ value, account, reason, ticket, liftFreeze, force },
            apply: neverApply ? "never" : undefined,
          },
          idempotencyKey: keyOf(options),
        });
        await finishRequest(options, requested);
      }),
    ["keyturn import orders-db --follow", "a prompt reads the password"],
    ["keyturn import orders-db --file issued.txt --follow", "from a file"],
    ["vendor-cli new-key | keyturn import orders-db", "from standard input"],
    ["keyturn import orders-db --never-apply", "somebody has set it on the target already"],
  );
