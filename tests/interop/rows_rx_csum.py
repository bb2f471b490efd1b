"""--rx-csum full where the link is a kernel's: it leaves checksums of UDP to a device that is not there."""

from framework import SERVER, equal, row

COUNT = 20
LIMITS = ("-k", COUNT, "-b", "1M", "-l", 500, "-i", 0)


@row(f"{SERVER}: --rx-csum full takes no sum of a pseudo-header for a checksum", ours_only=True)
def full(context):
    for flags, taken in ((["--rx-csum", "full"], False), ([], True)):
        with context.server(SERVER, "-1", "-J", *flags) as serving:
            with context.client(SERVER, *LIMITS) as running:
                running.wait(5)
            serving.wait(5)
            found = (serving.json["end"]["sum"]["packets"], serving.json["dpdkperf"]["port"]["bad_checksum"])
            equal(found, (COUNT, 0) if taken else (0, COUNT), f"taken and dropped with {flags}")
