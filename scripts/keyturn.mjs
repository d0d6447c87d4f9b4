#!/usr/bin/env node
/** `npx keyturn …`: the command line, behind the same bootstrap as the npm scripts and without their banner. */
process.argv.splice(2, 0, "cli/main.ts");
await import("./run.mjs");
