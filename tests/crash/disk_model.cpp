#include "tests/crash/disk_model.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/check.hpp"
#include "tests/support/child_program.hpp"

namespace limpet::testing {

namespace {

constexpr std::string_view store_file = "store.mdb";
constexpr std::string_view lock_suffix = "-lock";  // LMDB's reader table: worthless after a cut

uint64_t end_of(const DiskUnit& unit) { return unit.offset + unit.bytes.size(); }

}  // namespace

DiskImage read_image(const std::string& directory) {
  DiskImage image;
  if (!std::filesystem::exists(directory)) return image;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(lock_suffix)) continue;
    const std::string text = read_whole_file(entry.path().string());
    const size_t last = text.find_last_not_of('\0');
    const size_t used = last == std::string::npos ? 0 : last + 1;
    image[name] = {ByteVector(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(used)),
                   text.size()};
  }
  return image;
}

void write_image(const DiskImage& image, const std::string& directory) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  for (const auto& [name, content] : image) {
    const std::string path = directory + "/" + name;
    {
      std::ofstream file(path, std::ios::binary);
      const auto size = std::min<uint64_t>(content.bytes.size(), content.size);
      file.write(reinterpret_cast<const char*>(content.bytes.data()),
                 static_cast<std::streamsize>(size));
      LIMPET_ASSERT(file.good());
    }
    std::filesystem::resize_file(path, content.size);
  }
}

Trace::Trace(const std::string& path) : bytes_(read_whole_file(path)) {
  std::string_view rest(bytes_);
  while (!rest.empty()) {
    TraceRecord record;
    LIMPET_ASSERT(rest.size() >= sizeof record.head);
    std::memcpy(&record.head, rest.data(), sizeof record.head);
    rest.remove_prefix(sizeof record.head);
    LIMPET_ASSERT(rest.size() >= record.head.size);
    record.data = rest.substr(0, record.head.size);
    rest.remove_prefix(record.head.size);
    records_.push_back(record);
  }
}

DiskModel::DiskModel(std::string directory, const DiskImage& base)
    : directory_(std::move(directory)) {
  for (const auto& [name, content] : base) {
    const uint32_t inode = ++inodes_;
    durable_.files[inode] = content;
    durable_.names[name] = inode;
    sizes_now_[inode] = content.size;
  }
  names_now_ = durable_.names;
}

void DiskModel::put(Disk& disk, const DiskUnit& unit) {
  if (unit.kind == DiskUnit::Kind::name) {
    if (unit.inode == 0) {
      disk.names.erase(unit.name);
    } else {
      disk.names[unit.name] = unit.inode;
    }
    return;
  }
  FileContent& file = disk.files[unit.inode];
  if (unit.kind == DiskUnit::Kind::size) {
    file.size = unit.offset;
    if (file.bytes.size() > file.size) file.bytes.resize(static_cast<size_t>(file.size));
    return;
  }
  if (file.bytes.size() < end_of(unit)) file.bytes.resize(static_cast<size_t>(end_of(unit)));
  std::ranges::copy(unit.bytes, file.bytes.begin() + static_cast<std::ptrdiff_t>(unit.offset));
  file.size = std::max(file.size, end_of(unit));
}

std::string DiskModel::name_of(std::string_view path) const {
  LIMPET_ASSERT(path.starts_with(directory_));
  path.remove_prefix(directory_.size());
  if (!path.empty()) path.remove_prefix(1);
  return std::string(path);
}

void DiskModel::give_name(const std::string& name, uint32_t inode) {
  for (DiskUnit& lost : lost_names_) pending_.push_back(std::move(lost));
  lost_names_.clear();
  pending_.push_back({DiskUnit::Kind::name, inode, 0, {}, name});
}

void DiskModel::open(const RecordHead& head, std::string_view path) {
  const std::string file = name_of(path);
  if (file.empty()) {
    inode_of_handle_[head.handle] = 0;
    return;
  }
  const auto found = names_now_.find(file);
  if (found != names_now_.end()) {
    inode_of_handle_[head.handle] = found->second;
    if ((head.offset & O_TRUNC) == 0) return;
    pending_.push_back({DiskUnit::Kind::size, found->second, 0, {}, ""});
    sizes_now_[found->second] = 0;
    return;
  }
  const uint32_t inode = ++inodes_;
  inode_of_handle_[head.handle] = inode;
  names_now_[file] = inode;
  sizes_now_[inode] = 0;
  give_name(file, inode);
}

void DiskModel::write(const RecordHead& head, std::string_view data) {
  const uint32_t inode = inode_of_handle_.at(head.handle);
  auto offset = static_cast<uint64_t>(head.offset);
  while (!data.empty()) {
    const size_t room = disk_page_bytes - offset % disk_page_bytes;
    const ByteSpan piece = as_bytes(data.substr(0, room));
    pending_.push_back(
        {DiskUnit::Kind::data, inode, offset, ByteVector(piece.begin(), piece.end()), ""});
    offset += piece.size();
    data.remove_prefix(piece.size());
  }
  sizes_now_[inode] = std::max(sizes_now_[inode], offset);
}

void DiskModel::settle(const std::function<bool(const DiskUnit&)>& belongs, bool failed) {
  std::vector<DiskUnit> rest;
  for (DiskUnit& unit : pending_) {
    if (!belongs(unit)) {
      rest.push_back(std::move(unit));
    } else if (!failed || (arrives_ && arrives_())) {
      put(durable_, unit);
    } else if (unit.kind == DiskUnit::Kind::name) {
      lost_names_.push_back(std::move(unit));
    }
  }
  pending_ = std::move(rest);
}

void DiskModel::resize(const RecordHead& head) {
  const uint32_t inode = inode_of_handle_.at(head.handle);
  const auto size = static_cast<uint64_t>(head.offset);
  if (head.kind == RecordKind::allocate && size <= sizes_now_[inode]) return;
  pending_.push_back({DiskUnit::Kind::size, inode, size, {}, ""});
  sizes_now_[inode] = size;
}

void DiskModel::rename(std::string_view from, std::string_view to) {
  const std::string old_name = name_of(from);
  const std::string new_name = name_of(to);
  const uint32_t inode = names_now_.at(old_name);
  names_now_.erase(old_name);
  names_now_[new_name] = inode;
  give_name(new_name, inode);
  give_name(old_name, 0);
}

bool DiskModel::begin(const TraceRecord& record) {
  begun_at_ = pending_.size();
  switch (record.head.kind) {
    case RecordKind::open: open(record.head, record.data); return true;
    case RecordKind::write: write(record.head, record.data); return true;
    case RecordKind::resize:
    case RecordKind::allocate: resize(record.head); return true;
    case RecordKind::rename: {
      const size_t zero = record.data.find('\0');
      rename(record.data.substr(0, zero), record.data.substr(zero + 1));
      return true;
    }
    case RecordKind::remove: {
      const std::string removed = name_of(record.data);
      names_now_.erase(removed);
      give_name(removed, 0);
      return true;
    }
    case RecordKind::sync:
    case RecordKind::marker:
    case RecordKind::refused: return true;
    case RecordKind::unmodelled: return false;
  }
  return false;
}

bool DiskModel::syncs(const TraceRecord& record) {
  return record.head.kind == RecordKind::sync ||
         (record.head.kind == RecordKind::write && (record.head.flags & record_synchronous) != 0);
}

void DiskModel::finish(const TraceRecord& record) {
  if (!syncs(record)) return;
  const bool failed = (record.head.flags & record_failed) != 0;
  if (record.head.kind == RecordKind::write) {
    // That write, and nothing that waits beside it.
    const DiskUnit* const first = pending_.data() + begun_at_;
    return settle([first](const DiskUnit& unit) { return &unit >= first; }, failed);
  }
  const uint32_t inode = inode_of_handle_.at(record.head.handle);
  settle(
      [inode](const DiskUnit& unit) {
        const bool is_name = unit.kind == DiskUnit::Kind::name;
        return inode == 0 ? is_name : !is_name && unit.inode == inode;
      },
      failed);
}

DiskImage DiskModel::image(const std::vector<DiskUnit>& units,
                           const std::vector<bool>& chosen) const {
  Disk disk = durable_;
  for (size_t index = 0; index < units.size(); ++index) {
    if (chosen[index]) put(disk, units[index]);
  }
  DiskImage result;
  for (const auto& [name, inode] : disk.names) {
    if (!name.ends_with(lock_suffix)) result[name] = disk.files[inode];
  }
  return result;
}

ByteVector DiskModel::below(const DiskUnit& unit) const {
  const auto found = durable_.files.find(unit.inode);
  if (found == durable_.files.end() || found->second.bytes.size() <= unit.offset) return {};
  const ByteVector& bytes = found->second.bytes;
  const auto end = std::min<uint64_t>(end_of(unit), bytes.size());
  return {bytes.begin() + static_cast<std::ptrdiff_t>(unit.offset),
          bytes.begin() + static_cast<std::ptrdiff_t>(end)};
}

bool DiskModel::is_meta(const DiskUnit& unit) const {
  const auto store = durable_.names.find(store_file);
  return unit.kind == DiskUnit::Kind::data && store != durable_.names.end() &&
         store->second == unit.inode && unit.offset < 2 * disk_page_bytes;
}

}  // namespace limpet::testing
