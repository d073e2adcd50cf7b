#include <filesystem>

#include "core/file.h"
#include "families/wan/wan_family.h"
#include "files/checkpoints/recognise.h"
#include "files/formats/tensor_file.h"
#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

template <typename Number>
std::string raw(Number value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

using Files = std::vector<std::pair<std::string, std::string>>;

/// A zip archive of stored files; `method` is what the directory says about how they are stored.
std::string zip(const Files& files, uint16_t method = 0, uint32_t claimed_size = 0) {
  std::string bytes, directory;
  for (const auto& [name, content] : files) {
    const auto size = claimed_size > 0 ? claimed_size : static_cast<uint32_t>(content.size());
    const std::string sizes =
        raw(size) + raw(size) + raw<uint16_t>(static_cast<uint16_t>(name.size())) + raw<uint16_t>(0);
    const std::string common = raw<uint16_t>(0) + raw(method) + raw<uint32_t>(0) + raw<uint32_t>(0) + sizes;
    directory += std::string("PK\x01\x02") + raw<uint16_t>(0) + raw<uint16_t>(0) + common + raw<uint16_t>(0) +
                 raw<uint16_t>(0) + raw<uint16_t>(0) + raw<uint32_t>(0) +
                 raw(static_cast<uint32_t>(bytes.size())) + name;
    bytes += std::string("PK\x03\x04") + raw<uint16_t>(0) + common + name + content;
  }
  const auto count = static_cast<uint16_t>(files.size());
  return bytes + directory + std::string("PK\x05\x06") + raw<uint32_t>(0) + raw(count) + raw(count) +
         raw(static_cast<uint32_t>(directory.size())) + raw(static_cast<uint32_t>(bytes.size())) +
         raw<uint16_t>(0);
}

std::string text(const std::string& value) {
  return std::string("X") + raw(static_cast<uint32_t>(value.size())) + value;
}

/// _rebuild_tensor_v2(storage "0" of `storage_size` float32, offset, shape, strides, False, OrderedDict())
std::string tensor(const std::string& shape, const std::string& strides, int32_t offset = 0,
                   int32_t storage_size = 4) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text("0") +
         text("cpu") + "J" + raw(storage_size) + "tQJ" + raw(offset) + shape + strides +
         "\x89"
         "ccollections\nOrderedDict\n)RtR";
}
std::string one_number(int32_t value) { return std::string("J") + raw(value) + "\x85"; }
std::string dictionary(const std::string& value) {
  return std::string("\x80\x02}", 3) + text("x") + value + "s.";
}

std::string archive(const std::string& pickle, size_t data_size = 16) {
  return zip({{"a/data.pkl", pickle}, {"a/byteorder", "little"}, {"a/data/0", std::string(data_size, 'd')}});
}

class TorchTest : public WeightsFolder {
 protected:
  std::shared_ptr<const TensorFile> open(const std::string& bytes) const {
    return TensorFile::open(write("model.pth", bytes));
  }
  std::string refusal(const std::string& bytes) const {
    const std::string message = input_error([&] { open(bytes); });
    EXPECT_THAT(message, HasSubstr("model.pth"));
    EXPECT_LT(message.size(), 800u);
    return message;
  }
  std::string refusal_of_pickle(const std::string& pickle) const { return refusal(archive(pickle)); }
};

TEST_F(TorchTest, ReadsATensorFromItsStorage) {
  const auto file = open(archive(dictionary(tensor(one_number(3), one_number(1), 1))));
  EXPECT_EQ(file->format(), FileFormat::kTorch);
  const StoredTensor& x = file->tensors().at("x");
  EXPECT_EQ(x.shape, std::vector<int64_t>{3});
  EXPECT_TRUE(x.strides.empty());
  EXPECT_EQ(file->bytes(x).size(), 12u);
  EXPECT_EQ(file->bytes(x).front(), std::byte{'d'});
}

TEST_F(TorchTest, KeepsStrides) {
  const auto file = open(archive(dictionary(tensor(one_number(2), one_number(2)))));
  EXPECT_EQ(file->tensors().at("x").strides, std::vector<int64_t>{2});
}

TEST_F(TorchTest, StridesAreAsManyAsSides) {
  const std::string two = std::string("K\x02K\x02\x86", 5), turned = std::string("K\x01K\x02\x86", 5);
  const std::string pickle =
      std::string("\x80\x02}", 3) + text("head.modulation") + tensor(two, turned) + "s.";
  const auto parts = recognise_parts(open_tensors(write("model.pth", archive(pickle))), wan_family());
  const StoredTensor& stored = parts.at("transformer").component.get("scale_shift_table").stored;
  EXPECT_EQ(stored.strides.size(), stored.shape.size());
}

TEST_F(TorchTest, RunsNothing) {
  const fs::path proof = path("RAN");
  for (const std::string module :
       {"posix", "os", "builtins", "__builtin__", "torch", "torch.storage", "subprocess"}) {
    for (const std::string name : {"system", "eval", "exec", "load", "_load_from_bytes", "Popen"}) {
      const std::string pickle = "c" + module + "\n" + name + "\n(" + text("touch " + proof.string()) + "tR.";
      EXPECT_THAT(refusal_of_pickle(pickle),
                  AllOf(HasSubstr("'" + module + " " + name + "'"), HasSubstr("convert")))
          << module;
    }
  }
  const std::string by_stack =
      text("posix") + text("system") + "\x93" + text("touch " + proof.string()) + "\x85R.";
  EXPECT_THAT(refusal_of_pickle(by_stack), HasSubstr("'posix system'"));
  EXPECT_FALSE(fs::exists(proof));
}

TEST_F(TorchTest, RefusesOperationsThatNoStateDictNeeds) {
  // INST, OBJ, NEWOBJ, EXT1, BINSTRING, DUP, POP, LONG, STRING
  for (const char opcode : std::string("io\x81\x82T20LS")) {
    EXPECT_THAT(refusal_of_pickle(std::string(1, opcode) + "."),
                AllOf(HasSubstr("operation"), HasSubstr("convert")));
  }
}

TEST_F(TorchTest, RefusesDamagedPickles) {
  for (const std::string& pickle : std::vector<std::string>{"",
                                                            ".",
                                                            "}",
                                                            "0.",
                                                            "t.",
                                                            "s.",
                                                            "u.",
                                                            "a.",
                                                            "e.",
                                                            "R.",
                                                            "Q.",
                                                            "b.",
                                                            "(.",
                                                            "}(Nu.",
                                                            "]}a",
                                                            "NNs.",
                                                            "h\x05.",
                                                            "q",
                                                            "N.",
                                                            "K\x01.",
                                                            ").",
                                                            "].",
                                                            "ctorch\nFloatStorage\n.",
                                                            "ctorch\nFloatStorage",
                                                            "X\xFF\xFF\xFF\xFF"
                                                            "a",
                                                            "\x8a\x09"
                                                            "123456789.",
                                                            "ccollections\nOrderedDict\nNR.",
                                                            "NQ.",
                                                            ")Q.",
                                                            "ctorch._utils\n_rebuild_tensor_v2\n)R.",
                                                            "ctorch._utils\n_rebuild_parameter\n(Nt"
                                                            "R.",
                                                            "ctorch\nFloatStorage\n)R.",
                                                            "N)R.",
                                                            "X\x01\0\0\0\xFF.",

                                                            "]q\0h\0a.",
                                                            "(((((",
                                                            "NNNtN.",
                                                            "N\x86."}) {
    EXPECT_NE(refusal_of_pickle(pickle), "");
  }
  EXPECT_NE(refusal_of_pickle(dictionary(tensor(one_number(1), one_number(1))).substr(0, 40)), "");
  EXPECT_NE(refusal_of_pickle("}N" + tensor(one_number(1), one_number(1)) + "s."),
            "");  // no text as its name
  const std::string x = text("x") + tensor(one_number(1), one_number(1));
  EXPECT_NE(refusal_of_pickle("}(" + x + x + "u."), "");  // twice
}

TEST_F(TorchTest, RefusesLongNamesOfStorages) {
  const auto mention = [](size_t length) {
    std::string pickle = "(";
    pickle += text("storage") + "ctorch\nFloatStorage\n" + text(std::string(length, '0')) + text("cpu");
    return pickle + "K\x04tQ0";
  };
  EXPECT_THAT(refusal_of_pickle(mention(64)), HasSubstr("operation"));  // POP, which comes behind it
  EXPECT_THAT(refusal_of_pickle(mention(65)), HasSubstr("damaged"));
}

TEST_F(TorchTest, RefusesTensorsBeyondTheirStorage) {
  const auto refused = [&](const std::string& value) { return refusal_of_pickle(dictionary(value)); };
  EXPECT_THAT(refused(tensor(one_number(5), one_number(1))), HasSubstr("beyond"));
  EXPECT_THAT(refused(tensor(one_number(4), one_number(1), 1)), HasSubstr("beyond"));
  EXPECT_THAT(refused(tensor(one_number(2), one_number(4))), HasSubstr("beyond"));
  EXPECT_THAT(refused(tensor(one_number(5), one_number(0))),
              HasSubstr("beyond"));  // more numbers than there are
  EXPECT_THAT(refused(tensor(one_number(2), one_number(-1), 1)), HasSubstr("impossible"));
  EXPECT_THAT(refused(tensor(one_number(-2), one_number(1))), HasSubstr("impossible"));
  EXPECT_THAT(refused(tensor(one_number(2), one_number(1), -1)), HasSubstr("impossible"));
  EXPECT_THAT(refused(tensor(one_number(2), ")")), HasSubstr("impossible"));
  EXPECT_THAT(refused(tensor(one_number(2), one_number(1), 0, 5)), HasSubstr("another size"));
  EXPECT_THAT(refused(tensor(one_number(2), one_number(1), 0, -4)), HasSubstr("another size"));
  const std::string huge = std::string("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", 10);
  EXPECT_THAT(refused(tensor("(" + huge + huge + "t", "(" + huge + huge + "t")), HasSubstr("impossible"));
  EXPECT_THAT(refusal(zip({{"a/data.pkl", dictionary(tensor(one_number(1), one_number(1)))}})),
              HasSubstr("no data"));
}

TEST_F(TorchTest, RefusesArchivesOfOtherKinds) {
  EXPECT_THAT(refusal(zip({{"word/document.xml", "x"}})),
              AllOf(HasSubstr("without data.pkl"), HasSubstr("unpack it")));
  EXPECT_THAT(refusal(zip({{"a/data.pkl", "}."}, {"a/byteorder", "big"}})), HasSubstr("little-endian"));
  EXPECT_THAT(refusal(zip({{"a/data.pkl", "}."}}, /*method=*/8)),
              AllOf(HasSubstr("compressed"), HasSubstr("unpack it")));
  EXPECT_THAT(refusal(zip({{"a/data.pkl", "}."}}, 0, /*claimed_size=*/1000)), HasSubstr("cut short"));
  EXPECT_THAT(refusal(zip({{"a/data.pkl", "}."}, {"a/data.pkl", "}."}})), HasSubstr("twice"));
  EXPECT_THAT(refusal(zip({{"a/data.pkl", std::string(5 << 20, ')')}})), HasSubstr("a pickle of"));
  const std::string whole = zip({{"a/data.pkl", "}."}});
  EXPECT_TRUE(open(whole)->tensors().empty());
  for (size_t length = 4; length < whole.size(); ++length) EXPECT_NE(refusal(whole.substr(0, length)), "");
}

/// The archive as one beyond 4 GiB is written: sizes and places in fields of 64 bits.
std::string zip64(const std::string& name, const std::string& content) {
  const auto size = static_cast<uint64_t>(content.size());
  const std::string length = raw<uint16_t>(static_cast<uint16_t>(name.size()));
  const std::string beyond = raw(~uint32_t{0}), zeros(12, '\0');
  std::string bytes = std::string("PK\x03\x04") + std::string(14, '\0') + beyond + beyond + length +
                      raw<uint16_t>(0) + name + content;
  const uint64_t directory = bytes.size();
  const std::string extra = raw<uint16_t>(7) + raw<uint16_t>(2) + "xx" +  // of another program
                            raw<uint16_t>(1) + raw<uint16_t>(24) + raw(size) + raw(size) + raw<uint64_t>(0);
  bytes += std::string("PK\x01\x02") + std::string(4, '\0') + zeros;
  bytes += beyond + beyond + length + raw(static_cast<uint16_t>(extra.size())) + std::string(10, '\0') +
           beyond + name + extra;
  const uint64_t end = bytes.size();
  bytes += std::string("PK\x06\x06") + raw<uint64_t>(44) + std::string(12, '\0') + raw<uint64_t>(1) +
           raw<uint64_t>(1) + raw(end - directory) + raw(directory);
  bytes += std::string("PK\x06\x07") + raw<uint32_t>(0) + raw(end) + raw<uint32_t>(1);
  return bytes + std::string("PK\x05\x06") + raw<uint32_t>(0) + raw<uint16_t>(0xFFFF) +
         raw<uint16_t>(0xFFFF) + beyond + beyond + raw<uint16_t>(0);
}

TEST_F(TorchTest, ReadsTheRecordsOfLargeArchives) {
  const std::string whole = zip64("a/data.pkl", "}.");
  EXPECT_TRUE(open(whole)->tensors().empty());
  for (size_t length = 4; length < whole.size(); ++length) EXPECT_NE(refusal(whole.substr(0, length)), "");
  for (size_t at = whole.size() - 22 - 20 - 56; at < whole.size() - 22; ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x80);
    try {
      open(damaged);  // the numbers of disks and versions mean nothing here
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
    }
  }
}

TEST_F(TorchTest, TheFilesOfTorchEndAnywhere) {
  const std::string whole = read_file(fs::path(T2V_FIXTURES) / "checkpoints/nested.pth", 1 << 20);
  for (size_t length = 4; length < whole.size(); length += 7) EXPECT_NE(refusal(whole.substr(0, length)), "");
}

}  // namespace
}  // namespace t2v
