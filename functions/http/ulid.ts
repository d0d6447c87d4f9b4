/** The form of the ids that Keyturn makes. */
export const ulidPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/;
