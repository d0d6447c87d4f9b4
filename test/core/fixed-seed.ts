import fc from "fast-check";

// Under mutation, the same mutants must fail in every run, and the smallest counterexample is not needed.
fc.configureGlobal({ seed: 20_260_101, endOnFailure: true });
