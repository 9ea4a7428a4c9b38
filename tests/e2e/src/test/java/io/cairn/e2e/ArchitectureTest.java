package io.cairn.e2e;

import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.targetOwner;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.lang.conditions.ArchConditions.accessField;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;

/** The directions in which the modules may depend on each other, and what stays behind the seam. */
@AnalyzeClasses(
    packages = "io.cairn",
    importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureTest.Product.class})
final class ArchitectureTest {
  /** The test kit's own code keeps no such rules. */
  static final class Product implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("testkit") && !location.contains("tests-kit");
    }
  }

  private static final String STORAGE = "io.cairn.storage..";
  private static final String SHIM = "io.cairn.shim..";
  private static final String QCOW2 = "io.cairn.qcow2..";
  private static final String ZFS = "io.cairn.zfs..";
  private static final String CHECKPOINT = "io.cairn.checkpoint..";
  private static final String RESTORE = "io.cairn.restore..";
  private static final String GUEST = "io.cairn.guest..";

  private static final String[] LIBRARIES = {
    "java..", "org.jspecify..", "com.google.common..", "com.google.errorprone..", "org.slf4j.."
  };

  private static ArchRule only(String module, String... others) {
    String[] allowed = new String[LIBRARIES.length + others.length + 1];
    System.arraycopy(LIBRARIES, 0, allowed, 0, LIBRARIES.length);
    System.arraycopy(others, 0, allowed, LIBRARIES.length, others.length);
    allowed[allowed.length - 1] = module;
    return classes()
        .that()
        .resideInAPackage(module)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(allowed)
        .allowEmptyShould(true);
  }

  @ArchTest static final ArchRule STORAGE_CORE_DEPENDS_ON_NO_MODULE = only(STORAGE);

  @ArchTest
  static final ArchRule SHIMS_DEPEND_ON_STORAGE_AND_NATIVE_ACCESS =
      only(SHIM, STORAGE, "jnr..", "com.kenai.jffi..", "com.sun.jna..");

  /** Pure Java, but for the library that unpacks zstd clusters. */
  @ArchTest
  static final ArchRule QCOW2_DEPENDS_ON_STORAGE_ONLY =
      only(QCOW2, STORAGE, "com.github.luben.zstd..");

  @ArchTest static final ArchRule ZFS_DEPENDS_ON_STORAGE_AND_SHIMS = only(ZFS, STORAGE, SHIM);

  @ArchTest
  static final ArchRule CHECKPOINTS_SEE_NO_BACKEND_AND_NO_HYPERVISOR =
      only(
          CHECKPOINT,
          STORAGE,
          "com.google.gson..",
          "com.github.luben.zstd..",
          "javax.sql..",
          "org.sqlite..",
          "jdk.jfr..");

  @ArchTest
  static final ArchRule RESTORE_SEES_CHECKPOINTS_AND_STORAGE_ONLY =
      only(RESTORE, CHECKPOINT, STORAGE);

  @ArchTest
  static final ArchRule GUEST_DRIVERS_SEE_THE_GUEST_SPI_AND_SHIMS =
      only(GUEST, CHECKPOINT, STORAGE, SHIM, "com.google.gson..");

  @ArchTest
  static final ArchRule FILES_ARE_REACHED_THROUGH_THE_SEAM =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "io.cairn.storage.io..", "io.cairn.storage.platform..", "io.cairn.shim..")
          .should()
          .accessTargetWhere(
              targetOwner(assignableTo(FileChannel.class).or(type(RandomAccessFile.class))));

  @ArchTest
  static final ArchRule ONLY_THE_COMMAND_PRINTS =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.cairn.cli..")
          .should(accessField(System.class, "out"))
          .orShould(accessField(System.class, "err"));

  @ArchTest
  static final ArchRule NOTHING_ENDS_THE_PROCESS_BUT_THE_COMMAND =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.cairn.cli..")
          .should()
          .callMethodWhere(targetOwner(type(System.class)).and(target(name("exit"))));

  @ArchTest
  static final ArchRule MODULES_HAVE_NO_CYCLES =
      slices().matching("io.cairn.(*)..").should().beFreeOfCycles();
}
