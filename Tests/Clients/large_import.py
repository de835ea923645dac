"""One large import by one worker: rate, and the worker's peak memory against its bound. Run by deploy/large-import."""
import argparse
import os
import random
import time

from conftest import SERVICES, Cluster, Customer

BOUND_MIB = 512


def write_csv(path, mebibytes):
    """Rows of `item_id,timestamp,target_value`, the same for a size; returns how many."""
    generator = random.Random(11)
    rows, item, size = 0, 0, 0
    with open(path, "w", buffering=8 << 20) as file:
        while size < mebibytes << 20:
            values = [generator.random() * 1000 for _ in range(64)]
            block = "".join(
                f"item{item + offset:06d},{year}-{month:02d}-{day:02d} 00:00:00,{values[(offset + day) % 64]:.3f}\n"
                for offset in range(8) for year in range(2018, 2021) for month in range(1, 13) for day in range(1, 29))
            file.write(block)
            size += len(block)
            rows += 8 * 3 * 12 * 28
            item += 8
    return rows


def peak_mib(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return 0.0


def import_and_measure(mebibytes):
    """Imports that much with one worker of a cluster of its own, and holds result and memory against what they must be."""
    cluster = Cluster("large", "--workers", "1")
    try:
        cluster.start()
        (cluster.buckets / "customer").mkdir()
        rows = write_csv(cluster.buckets / "customer" / "large.csv", mebibytes)
        customer = Customer(cluster, {service: cluster.client(service) for service in SERVICES}, "customer")
        role = customer.role("Large")
        dataset = customer.dataset("large", customer.key(role), role, frequency="D")
        started = time.monotonic()
        arn = customer.import_("large", dataset, "s3://customer/large.csv", role)
        done = customer.wait(arn, seconds=1800)
        seconds = time.monotonic() - started
        worker, = cluster.processes("worker")
        peak = peak_mib(worker)
        ticks = sum(int(field) for field in open(f"/proc/{worker}/stat").read().rsplit(") ", 1)[1].split()[11:13])
        cpu = ticks / os.sysconf("SC_CLK_TCK")
        print(f"{done['Status']}: {rows} rows, {mebibytes} MiB in {seconds:.1f} s; "
              f"worker: {cpu:.1f} CPU s, {mebibytes * 1.048576 / cpu:.0f} MB a CPU second, peak {peak:.0f} MiB")
        assert done["Status"] == "ACTIVE", done.get("Message")
        assert done["FieldStatistics"]["item_id"]["CountLong"] == rows
        assert peak < BOUND_MIB, f"the worker took {peak:.0f} MiB; its bound is {BOUND_MIB}"
    finally:
        cluster.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mebibytes", type=int, default=1024)
    import_and_measure(parser.parse_args().mebibytes)
