import { makeMemoryPace } from "../../../shared/stores/memory/memory-pace.ts";
import { testLimiter } from "./limiter.suite.ts";

const store = makeMemoryPace();
testLimiter("in memory", () => store);
