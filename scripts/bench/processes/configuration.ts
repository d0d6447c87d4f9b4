/** Reads a configuration like the app at its start, in a process that has done nothing else. */
import "../../../local/host/with-parent.ts";
import { z } from "zod";
import { loadConfig } from "../../../shared/config/load.ts";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import type { Reading } from "../figures/configuration.ts";
import { vaultCredential } from "../world/bench-vault.ts";
import { answerCalls } from "../world/calls.ts";

answerCalls({
  async read(path): Promise<Reading> {
    const before = process.cpuUsage();
    const { targets } = await loadConfig(z.string().parse(path), {
      rotators: makeRotators(vaultCredential),
    });
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1_000;
    return { targets: targets.length, cpuMs, rssBytes: process.memoryUsage.rss() };
  },
});
