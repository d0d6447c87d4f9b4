/**
 * Wording that makes people read twice, and what to write instead. ESLint applies the list to comments and texts in code, markdownlint to
 * the pages.
 */
export const plainWords = [
  { pattern: /\bwhoever\b/i, instead: "anyone who, or the name of the actor" },
  { pattern: /\bmend(s|ed|ing)?\b/i, instead: "fix" },
  {
    pattern: /\b(is|are|was|be|been) told\b(?! apart)/i,
    instead: "is notified, logged or reported",
  },
  { pattern: /\btold apart\b/i, instead: "distinguished" },
  { pattern: /\bto be had\b/i, instead: "available" },
  { pattern: /\bin vain\b/i, instead: "without effect" },
  { pattern: /\bat the most\b/i, instead: "at most" },
  { pattern: /\bso much apart\b/i, instead: "at least … apart" },
  { pattern: /\bmust be in front\b/i, instead: "must be on your PATH" },
  { pattern: /\bthere is not\b/i, instead: "does not exist" },
  { pattern: /\bis no (valid|longer a)\b/i, instead: "is not a" },
  { pattern: /\bas things stand\b/i, instead: "at present" },
  { pattern: /\bof late\b/i, instead: "recently" },
  { pattern: /\bhad better\b/i, instead: "should" },
  { pattern: /\bis meant to have\b/i, instead: "should have" },
  { pattern: /\bin the way of\b/i, instead: "blocks, or conflicts with" },
  { pattern: /\bsuch as it\b/i, instead: "the noun" },
  { pattern: /\blet alone\b/i, instead: "and not" },
  { pattern: /\ball the same\b/i, instead: "nevertheless, or leave it out" },
  { pattern: /, be it\b/i, instead: "whether" },
  { pattern: /\bwhat it says\b/i, instead: "the noun" },
  { pattern: /\bis to be learnt\b|\blearnt nothing\b|\bnothing was learnt\b/i, instead: "unknown" },
  { pattern: /\bhold(s|ing)? (\w+ ){1,3}up\b/i, instead: "delay" },
  { pattern: /\b(giv(e|es|ing|en)|gave) up\b/i, instead: "stop, or time out" },
  { pattern: /\b(stands?|stood|standing) in\b/i, instead: "is defined in, or is in" },
  {
    pattern:
      /\b(tells?|telling|told) (?!\w+ apart)(an?|the|its|their|every|each|all|any|no|us|you|them|people|operators?|callers?|consumers?|notifiers?|Keyturn|somebody|nobody|nothing|whether|which|what)\b/i,
    instead: "notify, report, log or show",
  },
  { pattern: /\btell \w+ apart\b/i, instead: "distinguish" },
  {
    pattern:
      /\bask(s|ed|ing)? ((an?|the|its|their|every|each|all|another|this|that) )?(\w+ )?(servers?|databases?|targets?|vaults?|systems?|rotators?|consumers?|hosts?|apps?|storage|journal|Azure|PostgreSQL|MongoDB)\b/i,
    instead: "query, contact or notify",
  },
  { pattern: /\bask(s|ed|ing)? (for|whether|again)\b/i, instead: "request, or check" },
  { pattern: /\b(holds?|held|holding) (\w+ )?back\b/i, instead: "delay" },
  {
    pattern: /\b(takes?|took|taken|taking) (?!precedence|priority)(\w+ )?over\b/i,
    instead: "adopt, claim or replace",
  },
  { pattern: /\blook(s|ed|ing)? at\b/i, instead: "check, read or see" },
  {
    pattern:
      /\b(a|the|each|every|next|last|first|second|another|later|one|two|no) looks?\b(?!-| (like|alike|up|the same))/i,
    instead: "check (a read or log-in that changes nothing), or wake-up (a message of the queue)",
  },
  {
    pattern: /\b(ca|wo|do|does|did|is|are|was|were|has|have|had|could|should|would)n['’]t\b/i,
    instead: "cannot, will not, does not: no contractions",
  },
];
