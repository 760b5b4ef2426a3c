// The page "events".
export const events = {} as const;
