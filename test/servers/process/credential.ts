import { randomBytes } from "node:crypto";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";

/** The account that may do everything, with a random password of letters and digits. */
export const makeAdmin = (account = "keyturn_test_admin"): Credential => ({
  account,
  secret: new Secret(randomBytes(24).toString("hex")),
});
