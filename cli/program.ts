import { styleText } from "node:util";
import { type Argument, Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import manifest from "../package.json" with { type: "json" };
import { connectionGroup, withExamples } from "./command.ts";
import { exitCodes, meanings, usageFailure } from "./exit-codes.ts";
import { makeAlarms } from "./verbs/alarms.ts";
import { makeAudit } from "./verbs/audit.ts";
import { makeBreach } from "./verbs/breach.ts";
import { makeBreachReport } from "./verbs/breach-report.ts";
import { makeBreaches } from "./verbs/breaches.ts";
import { makeCancel } from "./verbs/cancel.ts";
import {
  makeCancelBreach,
  makeConfirmBreach,
  makePauseBreach,
  makeResumeBreach,
} from "./verbs/change-breach.ts";
import { makeCheck } from "./verbs/check.ts";
import { makeCompleteWords } from "./verbs/complete-words.ts";
import { makeCompletion } from "./verbs/completion.ts";
import { makeDryRun } from "./verbs/dry-run.ts";
import { makeEndFreeze } from "./verbs/end-freeze.ts";
import { makeExplain } from "./verbs/explain.ts";
import { makeExpose } from "./verbs/expose.ts";
import { makeFreeze } from "./verbs/freeze.ts";
import { makeFreezes } from "./verbs/freezes.ts";
import { makeHealth } from "./verbs/health.ts";
import { makeHistory } from "./verbs/history.ts";
import { makeImport } from "./verbs/import.ts";
import { makeNewRotator } from "./verbs/new-rotator.ts";
import { makeOpenapi } from "./verbs/openapi.ts";
import { makePause } from "./verbs/pause.ts";
import { makePlan } from "./verbs/plan.ts";
import { makeResume } from "./verbs/resume.ts";
import { makeRotate } from "./verbs/rotate.ts";
import { makeRotation } from "./verbs/rotation.ts";
import { makeSchema } from "./verbs/schema.ts";
import { makeTargets } from "./verbs/targets.ts";
import { makeUnblock } from "./verbs/unblock.ts";
import { makeUndo } from "./verbs/undo.ts";
import { makeUse } from "./verbs/use.ts";
import { makeVerify } from "./verbs/verify.ts";

/** Every command, in the groups of the help. A new one is a file in `verbs/` and an entry here. */
const groups: Readonly<Record<string, readonly (() => CommandUnknownOpts)[]>> = {
  "See what the app does:": [
    makeTargets,
    makeExplain,
    makeRotation,
    makeHistory,
    makeFreezes,
    makePlan,
    makeAudit,
    makeAlarms,
    makeHealth,
  ],
  "Act on targets:": [
    makeRotate,
    makeCancel,
    makeImport,
    makeUndo,
    makeUnblock,
    makeVerify,
    makeDryRun,
    makePause,
    makeResume,
    makeFreeze,
    makeEndFreeze,
    makeExpose,
    makeUse,
  ],
  "Rotate many targets after a breach:": [
    makeBreach,
    makeBreaches,
    makeBreachReport,
    makeConfirmBreach,
    makePauseBreach,
    makeResumeBreach,
    makeCancelBreach,
  ],
  "Check a configuration, without an app:": [makeCheck, makeSchema],
  "Tools:": [makeCompletion, makeOpenapi, makeNewRotator],
};

/** The command tree. Each call makes a new one. */
export function makeProgram() {
  const program = withExamples(
    new Command("keyturn")
      .description(
        "Rotates database passwords, keys and client secrets on Azure, and never loses one. Without --app, commands use the app that npm start runs.",
      )
      .usage("<command> [options]")
      // `--version` of a command, such as unblock, is not the program's.
      .enablePositionalOptions()
      .version(manifest.version, "--version", "show the version"),
    ["keyturn targets", "list the targets of the local app"],
    ["keyturn rotate orders-db --follow", "rotate a password and wait for the end"],
    ["keyturn check --config keyturn.yaml", "check a configuration"],
  );
  for (const [group, makers] of Object.entries(groups)) {
    for (const make of makers) program.addCommand(make().helpGroup(group));
  }
  program.addCommand(makeCompleteWords(), { hidden: true });
  program.helpCommand("help [command]", "show the help of a command").addHelpText("after", codes());
  for (const command of [program, ...program.commands]) adjust(command);
  return program;
}

function adjust(command: CommandUnknownOpts): void {
  command
    .helpOption("-h, --help", "show this help")
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({
      styleTitle: (text) => styleText("bold", text, { validateStream: false }),
      subcommandTerm: (one) => [one.name(), ...one.registeredArguments.map(nameOf)].join(" "),
      // The connection is the same for every command, so it comes last.
      groupItems(_, shown, groupOf) {
        const found = Map.groupBy(shown, groupOf);
        const connection = found.get(connectionGroup);
        found.delete(connectionGroup);
        if (connection) found.set(connectionGroup, connection);
        return found;
      },
    });
  rejectRepeated(command);
}

const nameOf = (argument: Argument): string =>
  argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;

/** Without this check the last one would apply silently. */
function rejectRepeated(command: CommandUnknownOpts): void {
  for (const option of command.options) {
    if (option.variadic) continue;
    let count = 0;
    command.on(`option:${option.name()}`, () => {
      count += 1;
      if (count > 1) throw usageFailure(`--${option.name()} is given more than once.`);
    });
  }
}

function codes(): string {
  const lines = Object.entries(meanings).map(
    ([name, meaning]) => `  ${String(Reflect.get(exitCodes, name)).padEnd(5)}${meaning}`,
  );
  return ["\nExit codes:", ...lines].join("\n");
}
