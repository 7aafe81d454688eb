# 32-bit ARM with the distribution's cross compiler. `./dev cross armv7` makes the sysroot.
set(LIMPET_TRIPLE arm-linux-gnueabihf)
set(LIMPET_QEMU qemu-arm)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(LIMPET_SYSROOT_NAME sysroot-armv7)
# gcc tells of a calling convention that changed before any compiler we accept.
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)
include(${CMAKE_CURRENT_LIST_DIR}/cmake/cross.cmake)
