"""The exam: what an NPC must be able to do, asked of whatever speaks for it.

    items      made from sheet and world, in wordings of the exam's own
    running    puts them to an engine exactly as serving would, and keeps the replies
    matching   says whether a reply is right, without a judge
    scoring    shares with Wilson intervals, and paired differences of two exams

Replies are kept and verdicts are not: a better matcher reads old replies anew.
"""
