#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "tensors/weights/dtypes.h"
#include "tensors/weights/safetensors_writer.h"

namespace t2v {
namespace {

[[noreturn]] void misused(const std::string& got) {
  throw Error(ErrorCode::kBug, {.doing = "writing a safetensors file", .got = got});
}

/// Returns `file`, or throws for a folder, a device or a FIFO: the rename at the end would replace a device
/// or a FIFO by a file.
const std::filesystem::path& checked(const std::filesystem::path& file) {
  std::error_code ignored;
  const auto type = std::filesystem::status(file, ignored).type();
  if (type <= std::filesystem::file_type::not_found || type == std::filesystem::file_type::regular)
    return file;
  throw Error(ErrorCode::kOutput, {.doing = "writing " + file.string(),
                                   .got = "a folder or a special file of that name",
                                   .expected = "a regular file, or none",
                                   .advice = "choose another name"});
}

std::vector<PlannedTensor> in_file_order(std::vector<PlannedTensor> tensors) {
  std::set<std::string> names{"__metadata__"};
  for (const PlannedTensor& tensor : tensors) {
    if (!names.insert(tensor.name).second || !is_valid_utf8(tensor.name))
      misused("the name '" + tensor.name + "'");
    if (!number_format_of(tensor.dtype)) misused("the dtype " + dtype_name(tensor.dtype));
  }
  std::stable_sort(tensors.begin(), tensors.end(), [](const PlannedTensor& a, const PlannedTensor& b) {
    return at::elementSize(a.dtype) > at::elementSize(b.dtype);
  });
  return tensors;
}

/// Length and JSON of the header, padded to align the data after it.
std::string header_bytes(const std::vector<PlannedTensor>& tensors,
                         const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  for (const auto& [key, value] : metadata) {
    if (!is_valid_utf8(key) || !is_valid_utf8(value)) misused("metadata that is not UTF-8: " + key);
    header["__metadata__"][key] = value;
  }
  uint64_t offset = 0;
  for (const PlannedTensor& tensor : tensors) {
    header[tensor.name] = {{"dtype", number_format_name(*number_format_of(tensor.dtype))},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.bytes()}}};
    offset += tensor.bytes();
  }
  std::string json = header.dump();
  json.resize((json.size() + 7) / 8 * 8, ' ');
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(json.size() >> (8 * i));
  return bytes + json;
}

}  // namespace

uint64_t PlannedTensor::bytes() const {
  uint64_t bytes = at::elementSize(dtype);
  for (const int64_t size : shape) bytes *= static_cast<uint64_t>(size);
  return bytes;
}

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& file, std::vector<PlannedTensor> tensors,
                                     const std::map<std::string, std::string>& metadata)
    : tensors_(in_file_order(std::move(tensors))), staged_(checked(file)) {
  for (const PlannedTensor& tensor : tensors_) missing_ += tensor.bytes();
  const std::string header = header_bytes(tensors_, metadata);
  staged_.write(header);
}

void SafetensorsWriter::append(std::span<const std::byte> bytes) {
  if (bytes.size() > missing_) misused("more bytes than the header says");
  staged_.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  missing_ -= bytes.size();
}

void SafetensorsWriter::publish(bool overwrite) {
  if (missing_ > 0) misused("fewer bytes than the header says");
  staged_.sync();
  staged_.publish(overwrite);
}

void write_safetensors(const std::filesystem::path& file,
                       const std::vector<std::pair<std::string, Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata, bool overwrite) {
  std::vector<PlannedTensor> planned;
  std::map<std::string, const Tensor*> named;
  for (const auto& [name, tensor] : tensors) {
    planned.push_back({name, tensor.scalar_type(), tensor.sizes().vec()});
    named.emplace(name, &tensor);
  }
  SafetensorsWriter writer(file, std::move(planned), metadata);
  for (const PlannedTensor& next : writer.tensors()) {
    const Tensor tensor = named.at(next.name)->to(at::kCPU).contiguous();
    writer.append({static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()});
  }
  writer.publish(overwrite);
}

}  // namespace t2v
