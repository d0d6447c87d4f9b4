import { startEventGridEmulator } from "../../../local/event-grid/emulator.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { makeEventGridNotifier } from "../../../shared/notifiers/event-grid.ts";
import { cloudEventShape } from "../../notifiers/cloud-event-shape.ts";
import { startTroubles } from "../../notifiers/receiver.ts";
import { notifierSuite, troubleSuite } from "./notifier.suite.ts";

const title = "Event Grid";

notifierSuite(title, async () => {
  const emulator = await startEventGridEmulator();
  const { endpoint } = emulator;
  return {
    notifier: makeEventGridNotifier({ endpoint, credential: { key: new Secret(emulator.key) } }),
    told: () => emulator.events().map(({ event }) => cloudEventShape.parse(event)),
    close: () => emulator.close(),
  };
});

troubleSuite(title, async () => {
  const troubles = await startTroubles();
  const key = new Secret("c2VjcmV0IGtleSBvZiB0aGUgdG9waWM=");
  return {
    notifier: (trouble) =>
      makeEventGridNotifier({
        endpoint: `${troubles.url(trouble)}/api/events?sig=secret-part`,
        credential: { key },
      }),
    received: troubles.received,
    secrets: [key.reveal(), "secret-part"],
    close: troubles.close,
  };
});
