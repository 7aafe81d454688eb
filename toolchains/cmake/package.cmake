# What is installed, and the Debian package made of it by `./dev package`. Plugins install
# themselves (limpet_add_plugin). The package enables nothing: the config comes first.
include(GNUInstallDirs)

if(TARGET limpet)
  install(TARGETS limpet RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES ${PROJECT_SOURCE_DIR}/toolchains/package/limpet.service
        DESTINATION lib/systemd/system)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/limpet
        RENAME copyright)
if(EXISTS ${PROJECT_SOURCE_DIR}/config/limpet.toml)
  install(FILES ${PROJECT_SOURCE_DIR}/config/limpet.toml
          DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/limpet)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME limpet)
set(CPACK_PACKAGE_CONTACT "Limpet maintainers <maintainers@limpet.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Agent runtime for edge gateways")
set(CPACK_PACKAGE_DESCRIPTION "Runs tools and agents as plugins and keeps events and work on disk.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# The SDK and the benchmark are for the machine that builds, not for the one that runs.
set(CPACK_COMPONENTS_ALL Unspecified)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_NAME limpet)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
file(WRITE ${PROJECT_BINARY_DIR}/conffiles "/etc/limpet/limpet.toml\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
