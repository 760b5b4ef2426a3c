// Lengths of time.
export const time = {
  now: "now",
  ago: (amount: string) => `${amount} ago`,
  in: (amount: string) => `in ${amount}`,
  units: {
    seconds: (n: number) => `${n} s`,
    minutes: (n: number) => `${n} min`,
    hours: (n: number) => `${n} h`,
    days: (n: number) => `${n} d`,
  },
  unknown: "Not known",
} as const;
