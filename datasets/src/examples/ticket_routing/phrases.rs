//! What customers write, in our own words. `{}` is a thing, a day or a number, whichever list follows.

/// Who answers, in class order.
pub(super) const TEAMS: [&str; 4] = ["billing", "delivery", "account", "fault"];

/// Messages of each team in 100.
pub(super) const SHARES: [u64; 4] = [30, 27, 23, 20];

pub(super) const GREETINGS: [&str; 6] =
    ["hello", "hi there", "good morning", "dear team", "to whom it may concern", "hey"];

pub(super) const THINGS: [&str; 8] =
    ["kettle", "desk lamp", "headset", "backpack", "tent", "coffee mill", "keyboard", "water filter"];

pub(super) const DAYS: [&str; 7] =
    ["monday", "tuesday", "last week", "yesterday", "this morning", "friday", "two days ago"];

/// What each team is asked.
pub(super) const REQUESTS: [&[&str]; 4] = [
    &[
        "i was charged twice for the {} i bought",
        "the invoice for my {} shows the wrong amount",
        "my card was billed although i cancelled the {}",
        "please refund what i paid for the {}",
        "the discount code was not taken off the price of the {}",
        "i need a receipt with our tax number for the {}",
        "the payment for the {} failed but the money is gone",
        "why did the monthly fee go up without a notice",
        "i still wait for the money of the {} i sent back",
        "the total on my bill does not match the order",
        "can i pay for the {} by bank transfer",
    ],
    &[
        "my {} should have arrived by now",
        "the parcel with the {} is stuck at the depot",
        "the courier left the {} at the wrong door",
        "tracking has not moved for the {} since it was shipped",
        "the box was crushed when the {} came",
        "only half of the order was in the parcel",
        "can the {} be sent to another address",
        "nobody rang and the {} went back to the sender",
        "when will the {} be dispatched",
        "i got a {} that somebody else ordered",
        "please hold the {} at the post office",
    ],
    &[
        "i cannot log in since i changed my email",
        "the link to reset my password has expired",
        "please delete my profile and all my data",
        "my account is locked after three wrong passwords",
        "how do i change the name on my profile",
        "the code for the second factor never reaches my phone",
        "somebody else seems to use my login",
        "i want to merge two accounts into one",
        "your newsletter keeps coming though i signed off",
        "the site says my user name is taken but it is mine",
    ],
    &[
        "the {} does not switch on any more",
        "the {} makes a loud noise and then stops",
        "a part of the {} broke after a week",
        "the app crashes when i connect the {}",
        "the {} gets too hot to touch",
        "the screen of the {} stays black",
        "how do i clean the {} when it is blocked",
        "the {} leaks at the bottom",
        "the battery of the {} is empty within an hour",
        "the update left my {} without sound",
    ],
];

/// What is mentioned beside a request, of each team: words of another team's.
pub(super) const ASIDES: [&[&str]; 4] = [
    &[
        "i have paid the invoice",
        "the price was fine",
        "my card was charged",
        "i do not ask for a refund yet",
        "the bill came with it",
    ],
    &[
        "the parcel came in time",
        "the courier was friendly",
        "tracking says delivered",
        "the address is the same as before",
        "it was shipped from the depot",
    ],
    &[
        "i wrote from my account",
        "my login is the same email",
        "my profile has the details",
        "i found it under my user name",
        "the password works",
    ],
    &["the {} itself works", "nothing is broken", "the app shows it", "it makes no noise", "the battery is full"],
];

/// What says nothing of a team.
pub(super) const VAGUE: [&str; 8] = [
    "this is about the {} from {}",
    "it is still not sorted out since {}",
    "something went wrong with my order",
    "i have a question about the {}",
    "i wrote to you {} and got no answer",
    "it happened again {}",
    "i am not happy with the {} at all",
    "nobody could help me on the phone {}",
];

pub(super) const CLOSINGS: [&str; 7] = [
    "please help",
    "thanks",
    "kind regards",
    "i expect an answer soon",
    "what should i do now",
    "many thanks in advance",
    "please call me back",
];
