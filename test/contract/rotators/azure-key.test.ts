import {
  type KeyServiceName,
  keyServices,
} from "../../../shared/rotators/azure-key/azure-key-services.ts";
import { startMintingFixture } from "./azure-key-bench.ts";
import { testMinting } from "./suite/rotator-minting.suite.ts";

for (const service of Object.keys(keyServices) as KeyServiceName[]) {
  testMinting(`azure-key for ${service}`, {
    kind: "pair",
    lacksText: !("toText" in keyServices[service]),
    start: () => startMintingFixture(service),
  });
}

for (const service of ["cosmos-db", "app-configuration"] as const) {
  testMinting(`azure-key for the read-only keys of ${service}`, {
    kind: "pair",
    start: () => startMintingFixture(service, { keys: "read-only" }),
  });
}
