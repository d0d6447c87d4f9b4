/** A vault in a process of its own, to be killed: `node … FILE TOKEN`. Prints its address. */
import { startKeyVaultEmulator } from "../../../local/key-vault/emulator.ts";

const [file, token] = process.argv.slice(2);
const emulator = await startKeyVaultEmulator({
  acceptsToken: (given) => given === token,
  file,
  throttleScale: Infinity,
});
process.stdout.write(`${emulator.url}\n`);
