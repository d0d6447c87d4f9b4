/** A vault in its own process, which a test kills: `node … FILE TOKEN`. Prints its URL. */
import { startKeyVaultEmulator } from "../../../local/key-vault/emulator.ts";

const [file, token] = process.argv.slice(2);
const emulator = await startKeyVaultEmulator({
  acceptsToken: (given) => given === token,
  file,
  throttleScale: Infinity,
});
process.stdout.write(`${emulator.url}\n`);
