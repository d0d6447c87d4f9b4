/**
 * The directions of imports, type-only imports included. The table in docs/architecture.md says the
 * same in words. To change a rule, change it there first.
 */

const contracts =
  "^shared/(rotators/rotator|vaults/vault|vaults/signer|stores/journal|stores/ledger-store|stores/queue|stores/pace|stores/request-limiter|notifiers/notifier|consumers/consumer)[.]ts$";

const npmPackage = "node_modules/";
const builtin = ["core"];

/** Calculation only: no I/O, no clock, no randomness. */
const pureCalculation = "node_modules/(temporal-polyfill|temporal-spec|croner|cron-parser|leven)/";

/** Heavy drivers, of which one app uses one or two. */
const drivers =
  "node_modules/(mongodb|mssql|mysql2|tedious|pg|@azure/arm-sql|@azure/core-rest-pipeline|@redis/client)/";

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment:
        "Files that import each other, if only for types, can be neither understood nor moved one at a time.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-orphans",
      comment: "A file of the product that nothing joins to the rest is dead or forgotten.",
      severity: "error",
      from: { orphan: true, path: "^(shared|local|cli)/" },
      to: {},
    },
    {
      name: "resolvable",
      comment: "An import that leads nowhere fails at run time, perhaps only on Azure.",
      severity: "error",
      from: {},
      // Only the Functions runtime (or our local host) provides this module.
      to: { couldNotResolve: true, pathNot: "^@azure/functions-core$" },
    },
    {
      name: "product-uses-no-dev-dependencies",
      comment:
        "What Azure runs is installed without devDependencies, so the import would fail there.",
      severity: "error",
      from: { path: "^(shared|functions|cli)/" },
      to: {
        path: npmPackage,
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"],
        // Types vanish before anything runs.
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "product-knows-no-local-or-test-code",
      comment:
        "The embedded environment, the tests and the scripts are callers of the product; it runs on Azure without them.",
      severity: "error",
      from: { path: "^(shared|functions|cli)/" },
      to: { path: "^(local|test|scripts|conformance)/" },
    },
    {
      name: "conformance-knows-the-contract-only",
      comment:
        "Authors of rotators use the conformance kit in projects that have none of our tests and doubles.",
      severity: "error",
      from: { path: "^conformance/" },
      to: {
        path: "^(shared|functions|cli|local|test|scripts)/",
        pathNot: ["^shared/core/", "^shared/rotators/rotator[.]ts$"],
      },
    },
    {
      name: "core-is-pure",
      comment:
        "Rules are decided in core from what is handed in; without I/O, SDKs or schemas they can be tested for every case.",
      severity: "error",
      from: { path: "^shared/core/" },
      to: { pathNot: ["^shared/core/", pureCalculation, "^(node:)?crypto$"] },
    },
    {
      name: "engine-knows-contracts-only",
      comment:
        "The engine orders effects through contracts; were it to know an adapter, that adapter would be special.",
      severity: "error",
      from: { path: "^shared/engine/" },
      to: { pathNot: ["^shared/engine/", "^shared/core/", contracts] },
    },
    {
      name: "proofs-come-from-those-who-look",
      comment:
        "A proof permits the engine to take a password, an account or a secret version away. Only the files that check the target, the vault or the journal just before may issue one.",
      severity: "error",
      from: {
        pathNot:
          "^(shared/engine/(looks/(look|preflight)|phases/(applying|given|steps|cleaning|set-back|minting)|calls/(reach|stored|mint)|work/retire)\\.ts$|test/)",
      },
      to: { path: "^shared/engine/looks/proof\\.ts$" },
    },
    {
      name: "contracts-name-no-adapter",
      comment:
        "A contract that imports one of its adapters forces that adapter on every other one.",
      severity: "error",
      from: { path: contracts },
      to: { path: "^shared/", pathNot: ["^shared/core/", contracts] },
    },
    {
      name: "adapters-stand-alone",
      comment:
        "An adapter knows its own port, core and its driver. Then a new one can be added, and an old one removed, without reading the rest.",
      severity: "error",
      from: { path: "^shared/(rotators|vaults|stores|notifiers|consumers)/", pathNot: contracts },
      to: {
        path: "^(shared|functions|cli)/",
        pathNot: ["^shared/core/", "^shared/http/", "^shared/azure/", "^shared/$1/"],
      },
    },
    {
      name: "azure-serves-adapters",
      comment:
        "What adapters share of Azure Resource Manager, Microsoft Graph and tokens. It knows none of them.",
      severity: "error",
      from: { path: "^shared/azure/" },
      to: {
        path: "^(shared|functions|cli)/",
        pathNot: ["^shared/azure/", "^shared/core/", "^shared/http/"],
      },
    },
    {
      name: "http-serves-adapters",
      comment:
        "What vaults, notifiers and consumers share about plain HTTP: addresses, deadlines, the signed POST. It knows none of them.",
      severity: "error",
      from: { path: "^shared/http/" },
      to: { path: "^(shared|functions|cli)/", pathNot: ["^shared/http/", "^shared/core/"] },
    },
    {
      name: "config-knows-core-only",
      comment:
        "Config is the shape of what a person writes; app.ts turns it into adapters. It needs no SDK to be checked.",
      severity: "error",
      from: { path: "^shared/config/" },
      to: { path: "^(shared|functions|cli)/", pathNot: ["^shared/config/", "^shared/core/"] },
    },
    {
      name: "app-is-the-front-door",
      comment:
        "app.ts is the front door and loads the rest when it is used; nothing behind it may know it.",
      severity: "error",
      from: { path: "^shared/", pathNot: "^shared/app[.]ts$" },
      to: { path: "^shared/app[.]ts$" },
    },
    {
      name: "shared-does-not-know-its-host",
      comment:
        "The same app serves Functions, the command line and the tests; @azure/functions belongs to the first alone.",
      severity: "error",
      from: { path: "^(shared|cli)/" },
      to: { path: ["node_modules/@azure/functions/", "^@azure/functions-core$"] },
    },
    {
      name: "shared-does-not-know-functions",
      comment: "Functions call the app. An app that knew them could have no other caller.",
      severity: "error",
      from: { path: "^shared/" },
      to: { path: "^functions/" },
    },
    {
      name: "functions-go-through-app",
      comment:
        "A function parses, calls the app and returns. It needs the app, names of core types, the host's library and a parser.",
      severity: "error",
      from: { path: "^functions/" },
      to: {
        pathNot: [
          "^functions/",
          "^shared/app[.]ts$",
          "^shared/core/",
          "node_modules/@azure/functions/",
          "node_modules/zod/",
          "node_modules/zod-openapi/",
        ],
        dependencyTypesNot: builtin,
      },
    },
    {
      name: "cli-goes-through-app",
      comment:
        "The command line is a second caller of the same app, not a second way to build it. Of functions it knows the routes and the types of requests and answers.",
      severity: "error",
      from: { path: "^cli/" },
      to: {
        path: "^(shared|functions)/",
        pathNot: [
          "^shared/app[.]ts$",
          "^shared/core/",
          "^functions/schemas/",
          "^functions/http/routes[.]ts$",
        ],
      },
    },
    {
      name: "cli-starts-fast",
      comment:
        "A person waits for every command, and Tab runs one. Schemas are imported as types, and SDKs by import() in the command that needs them.",
      severity: "error",
      from: { path: "^cli/" },
      to: {
        path: ["^functions/schemas/", "node_modules/(zod|zod-openapi|yaml|@azure)/"],
        dynamic: false,
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "callers-use-core-types-only",
      comment: "A caller that runs rules of core itself decides what the app should decide.",
      severity: "error",
      from: { path: "^(functions|cli)/" },
      to: { path: "^shared/core/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "local-goes-through-app",
      comment:
        "The embedded environment must show the app as it ships, so it uses its front door and no part of it by itself. The sockets of its doubles are those of the conformance kit.",
      severity: "error",
      from: { path: "^local/" },
      to: {
        path: "^(shared|functions|cli|test|scripts|conformance)/",
        pathNot: ["^shared/app[.]ts$", "^conformance/faults/listening[.]ts$"],
      },
    },
    {
      name: "drivers-load-when-used",
      comment:
        "A cold start pays for every static import; a driver is loaded by import() in the rotator that needs it. Types are free.",
      severity: "error",
      from: { path: "^(shared|functions)/" },
      to: { path: drivers, dynamic: false, dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    // Check imports before types are stripped: a type-only import is a direction too.
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|coverage|[.]cache|[.]keyturn)/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      mainFields: ["main", "types", "typings"],
    },
  },
};
