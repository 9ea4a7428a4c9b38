package io.cairn.shim.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import java.util.Map;
import jnr.ffi.Platform.OS;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ZfsCallTest {
  @ParameterizedTest
  @CsvSource({
    "SNAPSHOT, 17, EXISTS",
    "SNAPSHOT, 2, NOT_FOUND",
    "SNAPSHOT, 18, OTHER_POOL",
    "SNAPSHOT, 1, NO_PERMISSION",
    "SNAPSHOT, 36, NAME_TOO_LONG",
    "SNAPSHOT, 28, NO_SPACE",
    "SNAPSHOT, 22, BAD_NAME",
    "CLONE, 17, EXISTS",
    "CLONE, 2, NOT_FOUND",
    "CLONE, 18, OTHER_POOL",
    "CLONE, 1044, BAD_PROPERTY",
    "CLONE, 122, NO_SPACE",
    "PROMOTE, 17, EXISTS",
    "PROMOTE, 22, NOT_A_CLONE",
    "PROMOTE, 16, BUSY",
    "PROMOTE, 13, ENCRYPTION",
    "RENAME, 17, EXISTS",
    "DESTROY, 17, HAS_CHILDREN",
    "DESTROY, 16, BUSY",
    "DESTROY, 2, NOT_FOUND",
    "DESTROY_SNAPSHOTS, 17, HAS_CLONES",
    "DESTROY_SNAPSHOTS, 16, BUSY",
    "ROLLBACK, 17, NOT_NEWEST",
    "ROLLBACK, 3, NOT_FOUND",
    "ROLLBACK, 2, NOT_FOUND",
    "HOLD, 17, EXISTS",
    "RELEASE, 3, NOT_FOUND",
    "SYNC, 11, READ_ONLY",
    "SYNC, 999, OTHER"
  })
  void meaning_ofTheSameNumber_dependsOnTheCall(ZfsCall call, int errno, ZfsError expected) {
    assertEquals(expected, call.meaning(errno, OS.LINUX));
  }

  @ParameterizedTest
  @CsvSource({"63, NAME_TOO_LONG", "69, NO_SPACE", "35, READ_ONLY", "45, UNSUPPORTED", "36, OTHER"})
  void meaning_onFreebsd_usesItsNumbers(int errno, ZfsError expected) {
    assertEquals(expected, ZfsCall.SNAPSHOT.meaning(errno, OS.FREEBSD));
  }

  @Test
  void failure_ofSeveralObjects_namesEach() {
    Nvlist objects = Nvlist.of(Map.of("tank/a@s", 17, "tank/b@s", 2));
    ZfsException e = ZfsCall.SNAPSHOT.failure("cannot take a, b", 17, objects, "");
    assertEquals(
        "cannot take a, b: tank/a@s: it exists already, tank/b@s: it does not exist",
        e.getMessage());
    assertEquals(ZfsError.EXISTS, e.error());
    assertEquals(Map.of("tank/a@s", ZfsError.EXISTS, "tank/b@s", ZfsError.NOT_FOUND), e.objects());
  }

  @Test
  void failure_ofUnknownNumber_keepsIt() {
    ZfsException e = ZfsCall.DESTROY.failure("cannot destroy tank/a", 1234, Nvlist.EMPTY, "");
    assertEquals("cannot destroy tank/a: ZFS failed (error 1234)", e.getMessage());
    assertEquals(ErrorCode.FAILED, e.code());
  }

  @Test
  void failure_forLackOfRights_saysHowToGetThem() {
    ZfsException e = ZfsCall.CLONE.failure("cannot clone", 1, Nvlist.EMPTY, "");
    assertTrue(e.hint().contains("zfs allow"), e.hint());
  }
}
