package io.cairn.zfsvm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.AddGuestRequest;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.guest.qemu.qmp.QmpClient;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpOptions;
import io.cairn.restore.RestorePlanner;
import io.cairn.restore.RestoreRequest;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A guest that runs under QEMU with its disk on a volume goes back and forward in time. */
@Tag("zfs")
final class RunningGuestTest {
  private static final int SECTOR_BYTES = 512;
  private static final int COUNTER = 0x8000;
  private static final long WAIT_SECONDS_MAX = 180;
  private static final Pattern WORD = Pattern.compile(": 0x([0-9a-f]{8})");

  /**
   * A boot sector that counts: adds one to the word at 0x8000 and has the BIOS write the sector
   * from there to the disk's second sector, for ever. So the disk holds the number in memory or the
   * one before it, whenever one looks.
   *
   * <pre>
   *        cli; xor ax,ax; mov ds,ax; mov es,ax; mov ss,ax; mov sp,0x7c00; sti
   *        mov [0x7e00],dl
   * again: inc dword [0x8000]
   *        mov ax,0x0301; mov cx,2; mov dh,0; mov dl,[0x7e00]; mov bx,0x8000; int 0x13
   *        jmp again
   * </pre>
   */
  private static final String PROGRAM =
      "fa31c08ed88ec08ed0bc007cfb8816007e66ff060080b80103b90200b6008a16007ebb0080cd13ebe8";

  @TempDir Path directory = Path.of("");

  private final RealPool pool = RealPool.shared();
  private final String home = pool.home();

  private Path socket() {
    return directory.resolve("qmp");
  }

  private DiskRef bootable() throws IOException {
    DiskRef disk = pool.volume("disk", home + "/guest", 1 << 20);
    byte[] sector = new byte[SECTOR_BYTES];
    byte[] program = HexFormat.of().parseHex(PROGRAM);
    System.arraycopy(program, 0, sector, 0, program.length);
    sector[SECTOR_BYTES - 2] = 0x55;
    sector[SECTOR_BYTES - 1] = (byte) 0xaa;
    pool.write(disk, 0, sector);
    return disk;
  }

  private void start(DiskRef disk) throws IOException {
    new ProcessBuilder(
            Tools.require("qemu-system-x86_64", "qemu-system-x86"),
            "-nodefaults",
            "-machine",
            "pc",
            "-accel",
            "tcg",
            "-m",
            "16M",
            "-display",
            "none",
            "-blockdev",
            "driver=host_device,cache.direct=on,node-name=node,filename=" + pool.guestPath(disk),
            "-device",
            "virtio-blk-pci,drive=node,id=disk,bootindex=0",
            "-qmp",
            "unix:" + socket() + ",server=on,wait=off")
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve("log").toFile())
        .start();
  }

  private String ask(QmpCommand command) throws IOException {
    try (QmpClient client = QmpClient.connect(socket(), QmpOptions.standard())) {
      return String.valueOf(client.execute(command));
    }
  }

  /** The number in the guest's memory. */
  private long counter() throws IOException {
    String answer =
        ask(
            QmpCommand.of("human-monitor-command")
                .with("command-line", "xp /1wx 0x" + Integer.toHexString(COUNTER)));
    Matcher match = WORD.matcher(answer);
    assertTrue(match.find(), answer);
    return Long.parseLong(match.group(1), 16);
  }

  /** Waits until the guest has counted so far. */
  private long awaitCounter(long least) throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS_MAX);
    while (true) {
      long now = Files.exists(socket()) ? counter() : 0;
      if (now >= least) {
        return now;
      }
      assertTrue(System.nanoTime() < end, "the guest counts only to " + now);
      Thread.sleep(200);
    }
  }

  private long onDisk(DiskRef disk) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(pool.guestPath(disk).toFile(), "r")) {
      byte[] bytes = new byte[Integer.BYTES];
      open.seek(SECTOR_BYTES);
      open.readFully(bytes);
      return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }
  }

  private static Checkpoint create(CheckpointStore store, String name) {
    return store
        .execute(store.planCreate(CreateRequest.builder("vm").name(name).build()))
        .await()
        .checkpoint()
        .orElseThrow();
  }

  /** Puts the paused guest on a checkpoint; memory and disk are of one instant. */
  private long restore(CheckpointStore store, DiskRef disk, Checkpoint target) throws IOException {
    RestoreRequest request = RestoreRequest.to("vm", target.id()).leavingPaused();
    assertTrue(store.execute(RestorePlanner.plan(store, request)).await().current().isPresent());
    long memory = counter();
    long written = onDisk(disk);
    assertTrue(
        written == memory || written == memory - 1,
        "memory says " + memory + ", the disk " + written);
    return memory;
  }

  @Test
  void restore_guestRunsOnAVolume_bringsMemoryAndDiskBackAndForward() throws Exception {
    DiskRef disk = bootable();
    start(disk);
    StoreOptions options = StoreOptions.builder().create(true).command("test").build();
    try (CheckpointStore store = CheckpointStore.open(directory.resolve("store"), options)) {
      awaitCounter(1);
      TreeMap<String, String> reached = new TreeMap<>();
      reached.put("qmp", socket().toString());
      store.addGuest(new AddGuestRequest("vm", "qemu", reached, List.of(disk)));
      Checkpoint one = create(store, "one");
      long afterOne = awaitCounter(counter() + 5);
      Checkpoint two = create(store, "two");
      long afterTwo = awaitCounter(counter() + 5);

      long back = restore(store, disk, one);
      assertTrue(back < afterOne, back + " is not before " + afterOne);
      ask(QmpCommand.of("cont"));
      awaitCounter(back + 1);

      long forward = restore(store, disk, two);
      assertTrue(forward >= afterOne && forward < afterTwo, () -> Long.toString(forward));
      ask(QmpCommand.of("cont"));
      awaitCounter(forward + 1);
    } finally {
      quit();
    }
  }

  private void quit() throws IOException {
    try {
      ask(QmpCommand.of("quit"));
    } catch (StorageException e) {
      if (e.code() != ErrorCode.NOT_FOUND) {
        throw e; // it has ended already otherwise
      }
    }
  }
}
