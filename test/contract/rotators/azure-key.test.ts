import { testRotator } from "../../../conformance/rotator.suite.ts";
import {
  type KeyServiceName,
  keyServices,
} from "../../../shared/rotators/azure-key/azure-key-services.ts";
import { startMintingFixture } from "./azure-key-bench.ts";

const facts = { mints: "pair", settles: true, knowsRights: true, hasLine: true } as const;

for (const service of Object.keys(keyServices) as KeyServiceName[]) {
  testRotator(`azure-key for ${service}`, {
    ...facts,
    lacksText: !("toText" in keyServices[service]),
    start: () => startMintingFixture(service),
  });
}

for (const service of ["cosmos-db", "app-configuration"] as const) {
  testRotator(`azure-key for the read-only keys of ${service}`, {
    ...facts,
    start: () => startMintingFixture(service, { keys: "read-only" }),
  });
}
