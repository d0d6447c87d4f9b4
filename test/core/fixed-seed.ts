import fc from "fast-check";

// Under mutation, the same mutants must fall in every run, and nobody reads the smallest counterexample.
fc.configureGlobal({ seed: 20_260_101, endOnFailure: true });
