#include "tests/crash/mounts.hpp"

#include <fcntl.h>
#include <linux/ioctl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tests/support/child_program.hpp"

namespace limpet::testing {

namespace {

// The kernel gives these to programs in no header of its own.
constexpr unsigned long shutdown_request = _IOR('X', 125, uint32_t);
constexpr uint32_t shutdown_without_flush = 2;

std::string errno_text(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

ProgramResult run(const std::string& program, std::vector<std::string> arguments) {
  for (const char* folder : {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"}) {
    if (access((folder + program).c_str(), X_OK) != 0) continue;
    return run_program({folder + program, std::move(arguments), {}, ""}, seconds(60));
  }
  return {127, program + " is not installed"};
}

}  // namespace

MemoryDisk::MemoryDisk(uint64_t bytes) {
  const std::string options = "size=" + std::to_string(bytes);
  if (mount("limpet-test", directory_.path().c_str(), "tmpfs", 0, options.c_str()) != 0) {
    why_not_ = errno_text("a small tmpfs cannot be mounted");
  }
}

MemoryDisk::~MemoryDisk() {
  if (mounted()) umount2(directory_.path().c_str(), MNT_DETACH);
}

bool MemoryDisk::resize(uint64_t bytes) const {
  const std::string options = "size=" + std::to_string(bytes);
  return mount("limpet-test", directory_.path().c_str(), "tmpfs", MS_REMOUNT, options.c_str()) == 0;
}

void MemoryDisk::fill(const std::string& name) const {
  const int descriptor = open(file(name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (descriptor < 0) return;
  const std::string block(4096, 'f');
  while (write(descriptor, block.data(), block.size()) > 0) {
  }
  close(descriptor);
}

LoopDisk::LoopDisk(uint64_t bytes) {
  if (geteuid() != 0) {
    why_not_ = "mounting needs root";
    return;
  }
  const std::string image = directory_.file("disk");
  const int descriptor = open(image.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  const bool made = descriptor >= 0 && ftruncate(descriptor, static_cast<off_t>(bytes)) == 0;
  if (descriptor >= 0) close(descriptor);
  const ProgramResult formatted =
      made ? run("mkfs.ext4", {"-q", "-F", image}) : ProgramResult{1, "no room for the image"};
  if (formatted.exit_code != 0) {
    why_not_ = "no ext4: " + formatted.output;
    return;
  }
  std::filesystem::create_directory(directory_.file("mounted"));
  static_cast<void>(mount_it());
}

LoopDisk::~LoopDisk() { unmount(); }

std::string LoopDisk::file(const std::string& name) const {
  return directory_.file("mounted") + "/" + name;
}

// mount(8) finds a free loop device and lets go of it with the mount.
bool LoopDisk::mount_it() {
  const ProgramResult result = run(
      "mount", {"-t", "ext4", "-o", "loop", directory_.file("disk"), directory_.file("mounted")});
  mounted_ = result.exit_code == 0;
  if (!mounted_) why_not_ = "no loop mount: " + result.output;
  return mounted_;
}

void LoopDisk::unmount() {
  if (!mounted_) return;
  mounted_ = false;
  const std::string point = directory_.file("mounted");
  if (umount2(point.c_str(), 0) == 0) return;
  why_not_ = errno_text("not unmounted");
  umount2(point.c_str(), MNT_DETACH);
}

void LoopDisk::flush() const {
  const int root = open(directory_.file("mounted").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return;
  syncfs(root);
  close(root);
}

bool LoopDisk::cut_power() const {
  const int root = open(directory_.file("mounted").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return false;
  uint32_t how = shutdown_without_flush;
  const int code = ioctl(root, shutdown_request, &how);
  close(root);
  return code == 0;
}

bool LoopDisk::start_again() {
  unmount();
  return why_not_.empty() && mount_it();
}

}  // namespace limpet::testing
