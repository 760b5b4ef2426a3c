// The page "stripe".
export const stripe = {} as const;
