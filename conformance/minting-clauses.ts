import { testMintedBeside } from "./clauses/minting-beside.suite.ts";
import { testMintedEnd, testMintedProof } from "./clauses/minting-end.suite.ts";
import {
  testMint,
  testMintInTime,
  testMintLostReply,
  testMintRefusal,
  testMintUnreachable,
} from "./clauses/minting-mint.suite.ts";
import { testMintingOptions } from "./clauses/minting-options.suite.ts";
import { testMintedPair, testSettle } from "./clauses/minting-pair.suite.ts";
import type { MintingFacts, MintingSubject } from "./minting-fixture.ts";
import type { MintingSteps } from "./minting-steps.ts";
import { type Clause, unless } from "./run-clauses.ts";

interface MintingClause extends Omit<Clause<never, MintingFacts>, "test" | "findGap"> {
  readonly test: <Options>(steps: MintingSteps<Options>, subject: MintingSubject<Options>) => void;
}

/** The clauses for systems that create their secrets. */
export const mintingClauses: readonly MintingClause[] = [
  { name: "describes itself and its options", test: testMintingOptions },
  { name: "lets the system create a secret, and nothing else", test: testMint },
  { name: "changes nothing when the system refuses", test: testMintRefusal },
  { name: "does not know the outcome without an answer", test: testMintLostReply },
  { name: "sends nothing late", test: testMintInTime },
  { name: "proves a secret by a log-in", test: testMintedProof },
  { name: "ends the superseded secret", test: testMintedEnd },
  {
    name: "never replaces the published key",
    findObstacle: ({ mints }) => unless(mints === "pair", "`mints` is not pair"),
    test: testMintedPair,
  },
  {
    name: "removes what nobody uses, and nothing else",
    findObstacle: ({ mints }) => unless(mints === "beside", "`mints` is not beside"),
    test: testMintedBeside,
  },
  {
    name: "says what became of a request",
    findObstacle: ({ settles }) => unless(settles === true, "`settles` is not set"),
    test: testSettle,
  },
  {
    name: "stops waiting for a target that cannot be reached",
    findObstacle: ({ hasLine }) => unless(hasLine === true, "`hasLine` is not set"),
    test: testMintUnreachable,
  },
];
